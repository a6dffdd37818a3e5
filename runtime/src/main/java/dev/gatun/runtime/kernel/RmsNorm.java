package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import jdk.incubator.vector.FloatVector;

/// Root-mean-square normalisation of rows: x w / √(mean(x²) + eps).
public final class RmsNorm {
  private RmsNorm() {}

  /// Writes the normalised rows to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x `(..., C)`, taken by [Kernels#take]
  /// @param weight `(C)`, taken by [Kernels#take]; its type may be another
  /// @param eps added to the mean square
  /// @param result of the type and shape of x, row-major
  public static void forward(Scope scope, Tensor x, Tensor weight, double eps, Tensor result) {
    int width = (int) x.size(-1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                x.elements() / width,
                width,
                () -> {
                  float[] w = m[1].row(width);
                  float[] row = new float[w.length];
                  return i -> {
                    m[0].loadRow(i * width, row, width, 0);
                    scale(row, inverse(row, width, eps), w);
                    m[2].store(row, i * width, width);
                  };
                }),
        x,
        weight,
        result);
  }

  /// Writes the gradient of x: with n = x / rms and h = flow w, it is (h - n mean(h n)) / rms.
  ///
  /// @param scope for the number of threads
  /// @param x as in `forward`
  /// @param weight as in `forward`
  /// @param eps as in `forward`
  /// @param flow gradient of the result, taken by [Kernels#take]
  /// @param toX of the type and shape of x, row-major
  public static void gradient(
      Scope scope, Tensor x, Tensor weight, double eps, Tensor flow, Tensor toX) {
    int width = (int) x.size(-1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                x.elements() / width,
                width,
                () -> {
                  float[] w = m[1].row(width);
                  float[] row = new float[w.length];
                  float[] g = new float[w.length];
                  return i -> {
                    m[0].loadRow(i * width, row, width, 0);
                    m[2].loadRow(i * width, g, width, 0);
                    float inverse = inverse(row, width, eps);
                    float dot = weighted(g, w, row) * inverse * inverse / width;
                    gradient(row, g, inverse, dot);
                    m[3].store(g, i * width, width);
                  };
                }),
        x,
        weight,
        flow,
        toX);
  }

  /// Returns 1 / √(mean(x²) + eps).
  static float inverse(float[] row, int width, double eps) {
    return (float) (1 / Math.sqrt((double) squares(row) / width + eps));
  }

  private static float squares(float[] row) {
    FloatVector sum = Lanes.of(0);
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector x = Lanes.of(row, i);
      sum = x.fma(x, sum);
    }
    return Lanes.sum(sum);
  }

  private static void scale(float[] row, float factor, float[] weight) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      Lanes.of(row, i).mul(factor).mul(Lanes.of(weight, i)).intoArray(row, i);
    }
  }

  /// Multiplies the gradient by the weight, and returns its sum of products with the row.
  private static float weighted(float[] flow, float[] weight, float[] row) {
    FloatVector sum = Lanes.of(0);
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector h = Lanes.of(flow, i).mul(Lanes.of(weight, i));
      h.intoArray(flow, i);
      sum = h.fma(Lanes.of(row, i), sum);
    }
    return Lanes.sum(sum);
  }

  private static void gradient(float[] row, float[] flow, float inverse, float dot) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector h = Lanes.of(flow, i);
      h.sub(Lanes.of(row, i).mul(dot)).mul(inverse).intoArray(flow, i);
    }
  }
}
