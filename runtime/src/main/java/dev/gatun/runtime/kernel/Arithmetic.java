package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Tensor;

/// Sums, differences and products of two small tensors of one shape: done before libtorch has
/// worked out how to walk through them.
public final class Arithmetic {
  private static final int MOST_ELEMENTS = 1 << 13;

  private Arithmetic() {}

  /// What is computed of each pair of elements.
  public enum Operation {
    /// a + b.
    ADD,
    /// a - b.
    SUBTRACT,
    /// a b.
    MULTIPLY
  }

  /// {@return whether this kernel computes with these}
  ///
  /// @param a a tensor
  /// @param b another
  public static boolean takes(Tensor a, Tensor b) {
    return a.elements() <= MOST_ELEMENTS && a.hasShapeOf(b) && Kernels.take(a, b);
  }

  /// Writes the results to `result`.
  ///
  /// @param operation what is computed
  /// @param a taken by [#takes], with b
  /// @param b of the shape of a
  /// @param result of the type and shape of a, row-major
  public static void compute(Operation operation, Tensor a, Tensor b, Tensor result) {
    a.acquire();
    b.acquire();
    try {
      compute(operation, Memory.of(a), Memory.of(b), Memory.of(result), (int) a.elements());
    } finally {
      a.release();
      b.release();
    }
  }

  private static void compute(Operation operation, Memory a, Memory b, Memory result, int count) {
    float[] x = new float[Lanes.padded(count)];
    float[] y = new float[x.length];
    a.load(0, x, count);
    b.load(0, y, count);
    switch (operation) {
      case ADD -> add(x, y);
      case SUBTRACT -> subtract(x, y);
      case MULTIPLY -> multiply(x, y);
    }
    result.store(x, 0, count);
  }

  private static void add(float[] x, float[] y) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      Lanes.of(x, i).add(Lanes.of(y, i)).intoArray(x, i);
    }
  }

  private static void subtract(float[] x, float[] y) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      Lanes.of(x, i).sub(Lanes.of(y, i)).intoArray(x, i);
    }
  }

  private static void multiply(float[] x, float[] y) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      Lanes.of(x, i).mul(Lanes.of(y, i)).intoArray(x, i);
    }
  }
}
