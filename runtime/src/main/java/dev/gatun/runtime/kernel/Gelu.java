package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import jdk.incubator.vector.FloatVector;

/// GELU in its tanh form: x σ(2u) with u = √(2/π) (x + 0.044715 x³), which is ½ x (1 + tanh u).
public final class Gelu {
  private static final float CUBIC = 0.044715f;
  private static final float TWICE = (float) Math.sqrt(8 / Math.PI); // 2 √(2/π)

  private Gelu() {}

  /// Writes gelu(x) to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x taken by [Kernels#take]
  /// @param result of the type and shape of x, row-major
  public static void forward(Scope scope, Tensor x, Tensor result) {
    Memory.with(
        m ->
            Memory.blocks(
                scope,
                x.elements(),
                () -> {
                  float[] a = new float[Block.ELEMENTS];
                  return (from, count) -> {
                    m[0].load(from, a, count);
                    forward(a);
                    m[1].store(a, from, count);
                  };
                }),
        x,
        result);
  }

  /// Writes the gradient of x, flow gelu'(x), to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x as in `forward`
  /// @param flow gradient of gelu(x), taken by [Kernels#take]
  /// @param result of the type and shape of x, row-major
  public static void gradient(Scope scope, Tensor x, Tensor flow, Tensor result) {
    Memory.with(
        m ->
            Memory.blocks(
                scope,
                x.elements(),
                () -> {
                  float[] a = new float[Block.ELEMENTS];
                  float[] s = new float[Block.ELEMENTS];
                  float[] g = new float[Block.ELEMENTS];
                  return (from, count) -> {
                    m[0].load(from, a, count);
                    m[1].load(from, g, count);
                    gate(a, s);
                    gradient(a, s, g);
                    m[2].store(g, from, count);
                  };
                }),
        x,
        flow,
        result);
  }

  private static FloatVector negativeTwiceU(FloatVector x) {
    return x.mul(x).fma(Lanes.of(CUBIC), Lanes.of(1)).mul(x).mul(-TWICE);
  }

  private static void forward(float[] x) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = Lanes.of(x, i);
      v.div(Lanes.exp(negativeTwiceU(v)).add(1)).intoArray(x, i);
    }
  }

  /// Writes σ(2u).
  private static void gate(float[] x, float[] gate) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = Lanes.of(x, i);
      Lanes.of(1).div(Lanes.exp(negativeTwiceU(v)).add(1)).intoArray(gate, i);
    }
  }

  /// With s = σ(2u): gelu'(x) = s + x s (1 - s) 2u'.
  private static void gradient(float[] x, float[] gate, float[] flow) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = Lanes.of(x, i);
      FloatVector s = Lanes.of(gate, i);
      FloatVector slope = v.mul(v).fma(Lanes.of(3 * CUBIC), Lanes.of(1)).mul(v).mul(TWICE);
      FloatVector derivative = slope.sub(slope.mul(s)).add(1).mul(s);
      Lanes.of(flow, i).mul(derivative).intoArray(flow, i);
    }
  }
}
