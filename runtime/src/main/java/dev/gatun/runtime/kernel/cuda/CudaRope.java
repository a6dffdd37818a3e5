package dev.gatun.runtime.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaProgram;
import dev.gatun.runtime.internal.cuda.Launch;
import java.lang.foreign.MemorySegment;

/// Rotary positions: x cos + rotate_half(x) sin, for each head of each token.
public final class CudaRope {
  private static final TypedKernel ROTATE =
      new TypedKernel(CudaProgram.of("rope.cu"), "rope_rotate", "TABLE");

  private CudaRope() {}

  /// Heads of tokens, `(N, H, D)`; the D elements of a head lie side by side.
  ///
  /// @param address of the first element
  /// @param token elements from one token to the next
  /// @param head elements from one head to the next
  public record Heads(long address, long token, long head) {
    /// {@return row-major heads}
    ///
    /// @param address of the first element
    /// @param heads H
    /// @param size D
    public static Heads of(long address, int heads, int size) {
      return new Heads(address, (long) heads * size, size);
    }
  }

  /// Cosines and sines, `(N, D)`.
  ///
  /// @param cosines address of the cosines
  /// @param signedSines address of the sines: minus the sine in the first half, the sine in the
  ///   second
  /// @param token elements from one token to the next
  /// @param dtype their type
  public record Table(long cosines, long signedSines, long token, DType dtype) {}

  /// Writes the rotated heads.
  ///
  /// @param x the heads
  /// @param result written; may be x
  /// @param table of the tokens
  /// @param tokens N
  /// @param heads H
  /// @param size D, even
  /// @param sign 1 to rotate, -1 to rotate back, which is the gradient
  /// @param dtype of x and the result
  public static void rotate(
      Heads x, Heads result, Table table, long tokens, int heads, int size, int sign, DType dtype) {
    if (tokens == 0 || heads == 0) {
      return;
    }
    int each = Grid.wide(dtype);
    boolean wide =
        Grid.aligned(x.address, result.address, table.cosines, table.signedSines)
            && size / 2 % each == 0
            && (x.token | x.head | result.token | result.head | table.token) % each == 0;
    Launch launch =
        ROTATE
            .of(dtype, table.dtype)
            .launch()
            .with(x.address)
            .with(result.address)
            .with(table.cosines)
            .with(table.signedSines);
    strides(launch, x);
    strides(launch, result);
    launch
        .with(table.token)
        .with(heads)
        .with(size)
        .with((float) sign)
        .with(wide)
        .run(tokens, Grid.threads((long) heads * size / 2 / (wide ? each : 1)));
  }

  private static void strides(Launch launch, Heads heads) {
    MemorySegment struct = launch.struct(2 * Long.BYTES);
    struct.set(JAVA_LONG, 0, heads.token);
    struct.set(JAVA_LONG, 8, heads.head);
  }
}
