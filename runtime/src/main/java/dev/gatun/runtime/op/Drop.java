package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.RowFactors;
import java.util.function.ObjLongConsumer;

/// Dropout of elements by a mask that is a function of their place: it is drawn where it is used,
/// for the result and again for the gradient, and never kept.
public final class Drop {
  private static final long LEAST_ELEMENTS = 1 << 13;

  private Drop() {}

  /// Returns x times factors.
  ///
  /// @param scope owner of the result
  /// @param x `(N, C)`
  /// @param factors writes the factors of the row with that number, the same at each call: 0 for a
  ///   dropped element, usually 1 / (1 - p) for a kept one; called from several threads at once,
  ///   with arrays of C elements or a few more
  /// @return `(N, C)`
  public static Tensor elements(Scope scope, Tensor x, ObjLongConsumer<float[]> factors) {
    Checks.rank("drop", "x", x, 2);
    Checks.floating("drop", x);
    Tensor result = multiplied(scope, x, factors);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {multiplied(s, g[0], factors)});
    }
    return result;
  }

  private static Tensor multiplied(Scope scope, Tensor x, ObjLongConsumer<float[]> factors) {
    if (Kernels.take(x)) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      RowFactors.multiply(scope, x, factors, result);
      return result;
    }
    int width = (int) x.size(1);
    float[] mask = new float[Math.toIntExact(x.elements())];
    Parallel.ranges(
        scope,
        x.size(0),
        1,
        1 + LEAST_ELEMENTS / Math.max(1, width),
        (from, to) -> {
          float[] row = new float[width];
          for (long n = from; n < to; n++) {
            factors.accept(row, n);
            System.arraycopy(row, 0, mask, (int) n * width, width);
          }
        });
    try (Scope block = scope.untaped()) {
      Tensor typed = Layout.as(block, block.of(mask, x.shape()), x.dtype());
      return scope.keep(Elementwise.mul(block, x, typed));
    }
  }
}
