package dev.gatun.models.train;

import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Clip;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The gradients of one optimizer step of one run, added up over its batches.
final class Update {
  private final Scope scope;
  private final List<Tensor> parameters;
  private final @Nullable Tensor[] sums;

  /// @param scope owner of the sums
  Update(Scope scope, List<Tensor> parameters) {
    this.scope = scope;
    this.parameters = parameters;
    this.sums = new Tensor[parameters.size()];
  }

  /// Adds a batch's gradients, which this frees or keeps.
  void add(Gradients gradients) {
    for (int i = 0; i < sums.length; i++) {
      Tensor more = gradients.of(parameters.get(i));
      Tensor sum = sums[i];
      if (more == null) {
        continue;
      }
      if (sum == null) {
        sums[i] = more;
      } else {
        sums[i] = Elementwise.add(scope, sum, more);
        scope.free(sum);
        scope.free(more);
      }
    }
  }

  private List<Tensor> gradients() {
    List<Tensor> gradients = new ArrayList<>();
    for (int i = 0; i < sums.length; i++) {
      Tensor sum = sums[i];
      if (sum == null) {
        Tensor parameter = parameters.get(i);
        sum = scope.zeros(parameter.dtype(), parameter.shape());
        sums[i] = sum;
      }
      gradients.add(sum);
    }
    return gradients;
  }

  /// Returns the norm of all gradients together.
  double norm() {
    return Clip.norm(scope, gradients());
  }

  /// Clips the gradients and makes the optimizer's step.
  ///
  /// @param norm from [#norm]
  void apply(AdamW optimizer, double norm, double maxNorm, double rate) {
    optimizer.step(Clip.clip(scope, gradients(), norm, maxNorm), rate);
  }
}
