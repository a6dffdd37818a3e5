package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaProgram;

/// Root-mean-square normalisation of rows: x w / √(mean(x²) + eps).
public final class CudaRmsNorm {
  private static final CudaProgram PROGRAM = CudaProgram.of("rmsnorm.cu");
  private static final TypedKernel FORWARD = new TypedKernel(PROGRAM, "rmsnorm_forward", "WEIGHT");
  private static final TypedKernel BACKWARD =
      new TypedKernel(PROGRAM, "rmsnorm_backward", "WEIGHT");

  private CudaRmsNorm() {}

  /// Rows and their types.
  ///
  /// @param rows number of rows
  /// @param width elements of a row
  /// @param dtype of the rows
  /// @param weight type of the weight
  public record Rows(long rows, int width, DType dtype, DType weight) {}

  /// Writes the normalised rows.
  ///
  /// @param x address of the rows
  /// @param weight address of one row
  /// @param eps added to the mean square
  /// @param result written; may be x
  /// @param inverse receives 1 / √(mean(x²) + eps) of each row in f32; 0 where it is not wanted
  /// @param rows their shape and types
  public static void forward(
      long x, long weight, double eps, long result, long inverse, Rows rows) {
    if (rows.rows == 0 || rows.width == 0) {
      return;
    }
    int each = Grid.wide(rows.dtype);
    boolean wide = Grid.aligned(x, weight, result) && rows.width % each == 0;
    FORWARD
        .of(rows.dtype, rows.weight)
        .launch()
        .with(x)
        .with(weight)
        .with(result)
        .with(inverse)
        .with(rows.width)
        .with((float) eps)
        .with(wide)
        .run(rows.rows, Grid.threads(rows.width / (wide ? each : 1)));
  }

  /// Writes the gradient of x.
  ///
  /// @param x as in `forward`
  /// @param weight as in `forward`
  /// @param inverse as `forward` wrote it
  /// @param flow gradient of the result
  /// @param toX written; may be x or `flow`
  /// @param rows as in `forward`
  public static void gradient(long x, long weight, long inverse, long flow, long toX, Rows rows) {
    if (rows.rows == 0 || rows.width == 0) {
      return;
    }
    int each = Grid.wide(rows.dtype);
    boolean wide = Grid.aligned(x, weight, flow, toX) && rows.width % each == 0;
    BACKWARD
        .of(rows.dtype, rows.weight)
        .launch()
        .with(x)
        .with(weight)
        .with(inverse)
        .with(flow)
        .with(toX)
        .with(rows.width)
        .with(wide)
        .run(rows.rows, Grid.threads(rows.width / (wide ? each : 1)));
  }
}
