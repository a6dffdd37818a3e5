package dev.gatun.runtime.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.Philox;
import java.lang.foreign.MemorySegment;

/// The one argument of the kernels of [CudaAttention], and the table of masks that it points to.
///
/// Addresses of elements and strides are multiples of 16 bytes; heads are contiguous.
///
/// @param q queries, `(N, H, D)`
/// @param k keys, `(N, G, D)`
/// @param v values, `(N, G, D)`
/// @param o the result, `(N, H, D)`
/// @param lse address of `(H, N)` f32: the base-2 logarithm of each query's sum of exponentials of
///   scores, plus infinity for a query without keys
/// @param backward of what the backward reads and writes; [Backward#NONE] for the forward
/// @param offsets address of B + 1 i32: the first token of each sequence, then N
/// @param mask the mask of keys
/// @param scale factor of scores, above 0
public record AttentionArguments(
    Rows q,
    Rows k,
    Rows v,
    Rows o,
    long lse,
    Backward backward,
    long offsets,
    KeyMask mask,
    float scale) {
  /// Bytes of the struct.
  public static final int BYTES = 192;

  /// Bytes of a sequence's entry in the table of masks.
  public static final int MASK_BYTES = 32;

  private static final int MASKS = 11 * Long.BYTES;
  private static final int BIAS = 12 * Long.BYTES;
  private static final int STRIDES = 13 * Long.BYTES;
  private static final int NUMBERS = STRIDES + 8 * 2 * Integer.BYTES;

  /// A tensor `(N, heads, D)`, such as a part of a fused projection.
  ///
  /// @param address of its first element
  /// @param tokenStride elements from one token to the next
  /// @param headStride elements from one head to the next
  public record Rows(long address, int tokenStride, int headStride) {
    static final Rows NONE = new Rows(0, 0, 0);
  }

  /// What the backward reads and writes.
  ///
  /// @param flow gradient of o, `(N, H, D)`
  /// @param delta address of `(H, N)` f32
  /// @param dq written, `(N, H, D)`
  /// @param dk written, `(N, G, D)`
  /// @param dv written, `(N, G, D)`
  public record Backward(Rows flow, long delta, Rows dq, Rows dk, Rows dv) {
    /// For the forward.
    public static final Backward NONE = new Backward(Rows.NONE, 0, Rows.NONE, Rows.NONE, Rows.NONE);
  }

  /// The mask of keys.
  ///
  /// @param table address of an entry for each sequence, see [#writeMask], where it is drawn
  /// @param bias address of `(B, H, 1, W)` f32, where it is added
  /// @param width W, at least the longest sequence
  public record KeyMask(long table, long bias, int width) {
    /// No mask.
    public static final KeyMask NONE = new KeyMask(0, 0, 0);
  }

  /// Checks the scale.
  public AttentionArguments {
    if (!(scale > 0)) {
      throw new IllegalArgumentException("attention: found scale " + scale + ", expected above 0");
    }
  }

  /// Writes the struct.
  ///
  /// @param struct [#BYTES] long
  /// @param shape of the batch
  public void write(MemorySegment struct, CudaAttention.Shape shape) {
    Backward b = backward;
    long[] addresses = {
      q.address,
      k.address,
      v.address,
      o.address,
      lse,
      b.flow.address,
      b.delta,
      b.dq.address,
      b.dk.address,
      b.dv.address,
      offsets
    };
    MemorySegment.copy(addresses, 0, struct, JAVA_LONG, 0, addresses.length);
    struct.set(JAVA_LONG, MASKS, mask.table);
    struct.set(JAVA_LONG, BIAS, mask.bias);
    Rows[] rows = {q, k, v, o, b.flow, b.dq, b.dk, b.dv};
    for (int i = 0; i < rows.length; i++) {
      struct.set(JAVA_INT, STRIDES + 8L * i, rows[i].tokenStride);
      struct.set(JAVA_INT, STRIDES + 8L * i + 4, rows[i].headStride);
    }
    int[] numbers = {shape.tokens(), shape.heads(), shape.keyHeads(), mask.width};
    MemorySegment.copy(numbers, 0, struct, JAVA_INT, NUMBERS, numbers.length);
    struct.set(JAVA_FLOAT, NUMBERS + 16, scale);
    struct.set(JAVA_INT, NUMBERS + 20, 0);
  }

  /// Writes the entry of a sequence into a table of masks.
  ///
  /// @param table the table, [#MASK_BYTES] for each sequence
  /// @param sequence number of the sequence in the batch
  /// @param stream where in the run its mask belongs
  /// @param row row of the optimizer step
  /// @param rate probability of each key to be dropped; 0 where none is
  public static void writeMask(
      MemorySegment table, int sequence, MaskStream stream, int row, double rate) {
    MemorySegment entry = table.asSlice((long) sequence * MASK_BYTES, MASK_BYTES);
    entry.set(JAVA_LONG, 0, stream.seed());
    MemorySegment.copy(stream.counter(row, 0), 0, entry, JAVA_INT, 8, 4);
    entry.set(JAVA_INT, 24, (int) Philox.threshold(rate));
    entry.set(JAVA_INT, 28, 0);
  }
}
