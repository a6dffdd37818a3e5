package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaProgram;

/// GELU in its tanh form.
public final class CudaGelu {
  private static final CudaProgram PROGRAM = CudaProgram.of("gelu.cu");
  private static final TypedKernel FORWARD = new TypedKernel(PROGRAM, "gelu_forward");
  private static final TypedKernel BACKWARD = new TypedKernel(PROGRAM, "gelu_backward");

  private CudaGelu() {}

  /// Writes gelu(x).
  ///
  /// @param x address of `count` elements
  /// @param result written; may be x
  /// @param count number of elements
  /// @param dtype of both
  public static void forward(long x, long result, long count, DType dtype) {
    if (count == 0) {
      return;
    }
    boolean wide = Grid.aligned(x, result);
    FORWARD
        .of(dtype)
        .launch()
        .with(x)
        .with(result)
        .with(count)
        .with(wide)
        .run(Grid.blocks(count, wide ? Grid.wide(dtype) : 1), Grid.THREADS);
  }

  /// Writes the gradient of x, flow gelu'(x).
  ///
  /// @param x as in `forward`
  /// @param flow gradient of gelu(x)
  /// @param toX written; may be one of the inputs
  /// @param count number of elements
  /// @param dtype of all
  public static void gradient(long x, long flow, long toX, long count, DType dtype) {
    if (count == 0) {
      return;
    }
    boolean wide = Grid.aligned(x, flow, toX);
    BACKWARD
        .of(dtype)
        .launch()
        .with(x)
        .with(flow)
        .with(toX)
        .with(count)
        .with(wide)
        .run(Grid.blocks(count, wide ? Grid.wide(dtype) : 1), Grid.THREADS);
  }
}
