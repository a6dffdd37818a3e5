package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.RowFactors;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.kernel.cuda.CudaMasks;

/// Dropout of tokens or their elements by a mask that is a function of their place: it is drawn
/// where it is used, for the result and again for the gradient, and never kept.
public final class Drop {
  private static final long LEAST_ELEMENTS = 1 << 13;

  private Drop() {}

  /// Returns tokens times the factors of a mask.
  ///
  /// @param scope owner of the result
  /// @param x `(N, C)`
  /// @param mask of N tokens or more
  /// @return `(N, C)`
  /// @throws ShapeException if there are more rows than tokens
  public static Tensor tokens(Scope scope, Tensor x, TokenMask mask) {
    Checks.rank("drop", "x", x, 2);
    Checks.floating("drop", x);
    if (x.size(0) > mask.tokens()) {
      throw new ShapeException(
          "drop: found %s, expected at most %d rows".formatted(x, mask.tokens()));
    }
    Tensor result = multiplied(scope, x, mask);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {multiplied(s, g[0], mask)});
    }
    return result;
  }

  private static Tensor multiplied(Scope scope, Tensor x, TokenMask mask) {
    if (Kernels.take(x)) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      RowFactors.multiply(scope, x, mask::factors, result);
      return result;
    }
    int width = (int) x.size(1);
    if (CudaKernels.take(x)) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      int rows = Math.toIntExact(x.size(0));
      CudaMasks.tokens(x.dataAddress(), result.dataAddress(), mask.onGpu(), rows, width, x.dtype());
      return result;
    }
    float[] factors = new float[Math.toIntExact(x.elements())];
    Parallel.ranges(
        scope,
        x.size(0),
        1,
        1 + LEAST_ELEMENTS / Math.max(1, width),
        (from, to) -> {
          float[] row = new float[width];
          for (long n = from; n < to; n++) {
            mask.factors(row, n);
            System.arraycopy(row, 0, factors, (int) n * width, width);
          }
        });
    try (Scope block = scope.untaped()) {
      Tensor typed = Layout.as(block, block.of(factors, x.shape()), x.dtype());
      return scope.keep(Elementwise.mul(block, x, typed));
    }
  }
}
