package dev.gatun.models.train;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
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
  private final Trained trained;
  private final List<Tensor> parameters;
  private final @Nullable Tensor[] sums;

  /// @param scope owner of the sums
  Update(Scope scope, Trained trained) {
    this.scope = scope;
    this.trained = trained;
    this.parameters = List.copyOf(trained.parameters().values());
    this.sums = new Tensor[parameters.size()];
  }

  /// Opens the optimizer of what is trained.
  @MustBeClosed
  static AdamW optimizer(Trained trained, AdamW.Config config) {
    return AdamW.open(
        List.copyOf(trained.parameters().values()),
        trained.parameters().keySet().stream().map(trained::factors).toList(),
        config);
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

  /// Adds the gradients of the penalty, if there is one, and returns its value.
  double addPenalty() {
    try (Tape tape = Tape.open(parameters)) {
      Tensor penalty = trained.penalty(tape);
      if (penalty == null) {
        return 0;
      }
      Gradients gradients = tape.backward(scope, penalty);
      add(gradients);
      return gradients.value().item();
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

  /// Clips the gradients, makes the optimizer's step and tells what is trained of it.
  ///
  /// @param index number of the step, from 0
  /// @param norm from [#norm]
  void apply(AdamW optimizer, int index, double norm, double maxNorm, double rate) {
    List<Tensor> clipped = Clip.clip(scope, gradients(), norm, maxNorm);
    optimizer.step(clipped, rate);
    trained.afterStep(index + 1, parameter -> clipped.get(parameters.indexOf(parameter)));
  }
}
