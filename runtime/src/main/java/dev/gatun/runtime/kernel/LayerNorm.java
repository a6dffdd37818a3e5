package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Layer normalisation of rows: n w + b with n = (x - mean) / √(variance + eps).
public final class LayerNorm {
  private LayerNorm() {}

  /// Writes the normalised rows to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x `(N, C)`, taken by [Kernels#take]
  /// @param weight `(C)`, taken by [Kernels#take]; its type may be another
  /// @param bias as `weight`
  /// @param eps added to the variance
  /// @param result of the type and shape of x, row-major
  public static void forward(
      Scope scope, Tensor x, Tensor weight, Tensor bias, double eps, Tensor result) {
    int width = (int) x.size(-1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                x.size(0),
                width,
                () -> {
                  float[] w = m[1].row(width);
                  float[] b = m[2].row(width);
                  float[] row = new float[w.length];
                  return i -> {
                    m[0].loadRow(i * width, row, width, 0);
                    float inverse = centre(row, width, eps);
                    scale(row, inverse, w, b);
                    m[3].store(row, i * width, width);
                  };
                }),
        x,
        weight,
        bias,
        result);
  }

  /// Writes the gradient of x: with h = flow w it is (h - mean(h) - n mean(h n)) / √(variance +
  /// eps).
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
                x.size(0),
                width,
                () -> {
                  float[] w = m[1].row(width);
                  float[] row = new float[w.length];
                  float[] g = new float[w.length];
                  float[] sums = new float[2];
                  return i -> {
                    m[0].loadRow(i * width, row, width, 0);
                    m[2].loadRow(i * width, g, width, 0);
                    float inverse = centre(row, width, eps);
                    weighted(g, w, row, sums);
                    float along = sums[1] * inverse * inverse / width;
                    gradient(row, g, inverse, sums[0] / width, along);
                    m[3].store(g, i * width, width);
                  };
                }),
        x,
        weight,
        flow,
        toX);
  }

  /// Subtracts the mean and returns 1 / √(variance + eps).
  private static float centre(float[] row, int width, double eps) {
    float mean = sum(row) / width;
    subtract(row, mean);
    Arrays.fill(row, width, row.length, 0); // beyond the row 0 has become -mean
    return RmsNorm.inverse(row, width, eps);
  }

  private static float sum(float[] row) {
    FloatVector sum = Lanes.of(0);
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      sum = sum.add(Lanes.of(row, i));
    }
    return Lanes.sum(sum);
  }

  private static void subtract(float[] row, float mean) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      Lanes.of(row, i).sub(mean).intoArray(row, i);
    }
  }

  private static void scale(float[] row, float factor, float[] weight, float[] bias) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector n = Lanes.of(row, i).mul(factor);
      n.fma(Lanes.of(weight, i), Lanes.of(bias, i)).intoArray(row, i);
    }
  }

  /// Multiplies the gradient by the weight, and sums it and its products with the row.
  private static void weighted(float[] flow, float[] weight, float[] row, float[] sums) {
    FloatVector sum = Lanes.of(0);
    FloatVector products = Lanes.of(0);
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector h = Lanes.of(flow, i).mul(Lanes.of(weight, i));
      h.intoArray(flow, i);
      sum = sum.add(h);
      products = h.fma(Lanes.of(row, i), products);
    }
    sums[0] = Lanes.sum(sum);
    sums[1] = Lanes.sum(products);
  }

  private static void gradient(float[] row, float[] flow, float inverse, float mean, float along) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector h = Lanes.of(flow, i).sub(mean);
      h.sub(Lanes.of(row, i).mul(along)).mul(inverse).intoArray(flow, i);
    }
  }
}
