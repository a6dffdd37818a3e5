package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import jdk.incubator.vector.FloatVector;

/// The gate of Llama's feed-forward block: silu(gate) up, with silu(x) = x σ(x).
public final class SwiGlu {
  private SwiGlu() {}

  /// Writes silu(gate) up to `result`.
  ///
  /// @param scope for the number of threads
  /// @param gate taken by [Kernels#take], with the others
  /// @param up of the shape of `gate`
  /// @param result of the type and shape of `gate`, row-major
  public static void forward(Scope scope, Tensor gate, Tensor up, Tensor result) {
    Memory.with(
        m ->
            Memory.blocks(
                scope,
                gate.elements(),
                () -> {
                  float[] x = new float[Block.ELEMENTS];
                  float[] y = new float[Block.ELEMENTS];
                  return (from, count) -> {
                    m[0].load(from, x, count);
                    m[1].load(from, y, count);
                    forward(x, y);
                    m[2].store(y, from, count);
                  };
                }),
        gate,
        up,
        result);
  }

  /// Writes the gradients of `gate` and `up`.
  ///
  /// @param scope for the number of threads
  /// @param gate as in `forward`
  /// @param up as in `forward`
  /// @param flow gradient of the result, taken by [Kernels#take]
  /// @param toGate of the type and shape of `gate`, row-major
  /// @param toUp of the type and shape of `gate`, row-major
  public static void gradient(
      Scope scope, Tensor gate, Tensor up, Tensor flow, Tensor toGate, Tensor toUp) {
    Memory.with(
        m ->
            Memory.blocks(
                scope,
                gate.elements(),
                () -> {
                  float[] x = new float[Block.ELEMENTS];
                  float[] y = new float[Block.ELEMENTS];
                  float[] g = new float[Block.ELEMENTS];
                  float[] s = new float[Block.ELEMENTS];
                  return (from, count) -> {
                    m[0].load(from, x, count);
                    m[1].load(from, y, count);
                    m[2].load(from, g, count);
                    sigmoid(x, s);
                    gradient(x, y, g, s);
                    m[3].store(x, from, count);
                    m[4].store(y, from, count);
                  };
                }),
        gate,
        up,
        flow,
        toGate,
        toUp);
  }

  private static void forward(float[] gate, float[] up) {
    for (int i = 0; i < gate.length; i += Lanes.COUNT) {
      FloatVector x = Lanes.of(gate, i);
      FloatVector silu = x.div(Lanes.exp(x.neg()).add(1));
      silu.mul(Lanes.of(up, i)).intoArray(up, i);
    }
  }

  private static void sigmoid(float[] x, float[] result) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      Lanes.of(1).div(Lanes.exp(Lanes.of(x, i).neg()).add(1)).intoArray(result, i);
    }
  }

  /// Overwrites gate and up with their gradients: silu'(x) = s + x s (1 - s), s = σ(x).
  private static void gradient(float[] gate, float[] up, float[] flow, float[] sigmoid) {
    for (int i = 0; i < gate.length; i += Lanes.COUNT) {
      FloatVector x = Lanes.of(gate, i);
      FloatVector s = Lanes.of(sigmoid, i);
      FloatVector g = Lanes.of(flow, i);
      FloatVector silu = x.mul(s);
      FloatVector slope = silu.sub(silu.mul(s)).add(s);
      slope.mul(g).mul(Lanes.of(up, i)).intoArray(gate, i);
      silu.mul(g).intoArray(up, i);
    }
  }
}
