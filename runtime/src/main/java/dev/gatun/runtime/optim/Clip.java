package dev.gatun.runtime.optim;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.kernel.cuda.CudaAdamW;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Clipping of gradients by their global norm, as `torch.nn.utils.clip_grad_norm_`.
public final class Clip {
  private Clip() {}

  /// {@return the Euclidean norm of all gradients together}
  ///
  /// @param scope parent of the temporaries
  /// @param gradients floating-point tensors; not changed
  public static double norm(Scope scope, List<Tensor> gradients) {
    if (gradients.isEmpty()) {
      return 0;
    }
    Tensor[] all = gradients.toArray(Tensor[]::new);
    if (CudaKernels.take(all) && all[0].dtype() == DType.F32) {
      return Math.sqrt(sumOnGpu(scope, all));
    }
    try (Scope block = scope.untaped()) {
      Tensor[] sums = new Tensor[gradients.size()];
      for (int i = 0; i < sums.length; i++) {
        Tensor sum = Layout.as(block, Reduce.sumOfSquares(block, gradients.get(i)), DType.F64);
        sums[i] = Layout.reshape(block, sum, 1);
      }
      // read at once: a GPU's result is waited for
      return Math.sqrt(Arrays.stream(Layout.cat(block, 0, sums).toDoubles()).sum());
    }
  }

  private static double sumOnGpu(Scope scope, Tensor[] gradients) {
    long[] addresses = Arrays.stream(gradients).mapToLong(Tensor::dataAddress).toArray();
    long[] counts = Arrays.stream(gradients).mapToLong(Tensor::elements).toArray();
    try (Scope block = scope.untaped()) {
      Tensor parts = block.empty(DType.F32, CudaAdamW.scratchBytes(counts) / Float.BYTES);
      Tensor total = block.empty(DType.F64, 1);
      CudaAdamW.sumOfSquares(addresses, counts, parts.dataAddress(), total.dataAddress());
      return total.toDoubles()[0];
    }
  }

  /// {@return the gradients, scaled down where their norm is above a limit}
  ///
  /// @param scope owner of scaled gradients
  /// @param gradients not changed
  /// @param norm their norm, from [#norm]
  /// @param maxNorm the limit; 0 for none
  public static List<Tensor> clip(
      Scope scope, List<Tensor> gradients, double norm, double maxNorm) {
    double factor = maxNorm <= 0 ? 1 : Math.min(1, maxNorm / (norm + 1e-6));
    if (factor == 1) {
      return gradients;
    }
    List<Tensor> clipped = new ArrayList<>();
    for (Tensor gradient : gradients) {
      clipped.add(Elementwise.scale(scope, gradient, factor));
    }
    return clipped;
  }
}
