package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.function.ObjLongConsumer;

/// Rows times factors that are made on the spot.
public final class RowFactors {
  private RowFactors() {}

  /// Writes x times its factors to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x `(N, C)`, taken by [Kernels#take]
  /// @param factors writes the C factors of a row; called from several threads
  /// @param result of the type and shape of x, row-major
  public static void multiply(
      Scope scope, Tensor x, ObjLongConsumer<float[]> factors, Tensor result) {
    int width = (int) x.size(1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                x.size(0),
                width,
                () -> {
                  float[] row = new float[Lanes.padded(width)];
                  float[] factor = new float[row.length];
                  return n -> {
                    factors.accept(factor, n);
                    m[0].load(n * width, row, width);
                    multiply(row, factor);
                    m[1].store(row, n * width, width);
                  };
                }),
        x,
        result);
  }

  private static void multiply(float[] row, float[] factors) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      Lanes.of(row, i).mul(Lanes.of(factors, i)).intoArray(row, i);
    }
  }
}
