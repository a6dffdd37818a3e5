package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaProgram;

/// The gate of Llama's feed-forward block: silu(gate) up.
public final class CudaSwiGlu {
  private static final CudaProgram PROGRAM = CudaProgram.of("swiglu.cu");
  private static final TypedKernel FORWARD = new TypedKernel(PROGRAM, "swiglu_forward");
  private static final TypedKernel BACKWARD = new TypedKernel(PROGRAM, "swiglu_backward");

  private CudaSwiGlu() {}

  /// Writes silu(gate) up.
  ///
  /// @param gate address of `count` elements
  /// @param up as `gate`
  /// @param result written; may be `gate` or `up`
  /// @param count number of elements
  /// @param dtype of all
  public static void forward(long gate, long up, long result, long count, DType dtype) {
    if (count == 0) {
      return;
    }
    boolean wide = Grid.aligned(gate, up, result);
    FORWARD
        .of(dtype)
        .launch()
        .with(gate)
        .with(up)
        .with(result)
        .with(count)
        .with(wide)
        .run(Grid.blocks(count, wide ? Grid.wide(dtype) : 1), Grid.THREADS);
  }

  /// Writes the gradients of both.
  ///
  /// @param gate as in `forward`
  /// @param up as in `forward`
  /// @param flow gradient of the result
  /// @param toGate written; may be one of the inputs, as may `toUp`
  /// @param toUp written
  /// @param count number of elements
  /// @param dtype of all
  public static void gradient(
      long gate, long up, long flow, long toGate, long toUp, long count, DType dtype) {
    if (count == 0) {
      return;
    }
    boolean wide = Grid.aligned(gate, up, flow, toGate, toUp);
    BACKWARD
        .of(dtype)
        .launch()
        .with(gate)
        .with(up)
        .with(flow)
        .with(toGate)
        .with(toUp)
        .with(count)
        .with(wide)
        .run(Grid.blocks(count, wide ? Grid.wide(dtype) : 1), Grid.THREADS);
  }
}
