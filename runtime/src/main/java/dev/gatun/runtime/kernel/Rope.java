package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import jdk.incubator.vector.FloatVector;

/// Rotary positions: x cos + rotate_half(x) sin, for each head of each token.
public final class Rope {
  private Rope() {}

  /// {@return whether this kernel can rotate heads of this size}
  ///
  /// @param headSize D
  public static boolean takes(long headSize) {
    return headSize % (2L * Lanes.COUNT) == 0;
  }

  /// Writes the rotated heads to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x `(N, H, D)`, taken by [Kernels#take] with the tables
  /// @param cos `(N, 1, D)`
  /// @param signedSin `(N, 1, D)`: minus the sine in the first half, the sine in the second
  /// @param sign 1 to rotate, -1 to rotate back
  /// @param result of the type and shape of x, row-major
  public static void rotate(
      Scope scope, Tensor x, Tensor cos, Tensor signedSin, int sign, Tensor result) {
    int size = (int) x.size(2);
    int width = (int) x.size(1) * size;
    Memory.with(
        m ->
            Memory.rows(
                scope,
                x.size(0),
                width,
                () -> {
                  float[] heads = new float[width];
                  float[] c = new float[size];
                  float[] s = new float[size];
                  return n -> {
                    m[1].load(n * size, c, size);
                    m[2].load(n * size, s, size);
                    m[0].load(n * width, heads, width);
                    rotate(heads, c, s, sign);
                    m[3].store(heads, n * width, width);
                  };
                }),
        x,
        cos,
        signedSin,
        result);
  }

  private static void rotate(float[] heads, float[] cos, float[] sin, float sign) {
    int half = cos.length / 2;
    for (int at = 0; at < heads.length; at += cos.length) {
      for (int i = 0; i < half; i += Lanes.COUNT) {
        FloatVector first = Lanes.of(heads, at + i);
        FloatVector second = Lanes.of(heads, at + half + i);
        FloatVector down = Lanes.of(sin, i).mul(sign);
        FloatVector up = Lanes.of(sin, half + i).mul(sign);
        first.mul(Lanes.of(cos, i)).add(second.mul(down)).intoArray(heads, at + i);
        second.mul(Lanes.of(cos, half + i)).add(first.mul(up)).intoArray(heads, at + half + i);
      }
    }
  }
}
