package dev.gatun.runtime.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaProgram;
import dev.gatun.runtime.internal.cuda.Launch;
import dev.gatun.runtime.random.Philox;
import dev.gatun.runtime.random.SequenceMask;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Dropout masks, drawn on the device with the bits of [MaskStream].
public final class CudaMasks {
  private static final CudaProgram PROGRAM = CudaProgram.of("masks.cu");
  private static final TypedKernel LINES = new TypedKernel(PROGRAM, "mask_lines");
  private static final TypedKernel TOKENS = new TypedKernel(PROGRAM, "mask_tokens");
  private static final int MOST = 64; // sequences of a launch
  private static final int BYTES = 56; // of a sequence
  private static final int THREADS = 128;

  private CudaMasks() {}

  /// One sequence of a batch.
  ///
  /// @param mask its mask
  /// @param start its first token; before 0 where a batch is read from a later token on
  /// @param length its tokens
  public record Sequence(SequenceMask mask, int start, int length) {}

  /// Lines of keys, `(B, H, Q, T)`.
  ///
  /// @param heads H
  /// @param queries Q: 1, or T where each query has a line
  /// @param longest T, elements of a line
  /// @param dtype of the values
  public record Lines(int heads, int queries, int longest, DType dtype) {}

  /// Writes the values of keys, 0 past the end of a sequence.
  ///
  /// No query is left without a key: either place 0 is never dropped, or a line that drops all its
  /// keys keeps all.
  ///
  /// @param target address of the lines
  /// @param sequences B sequences
  /// @param firstKept whether place 0 is never dropped, as a causal layer has it
  /// @param lines their shape and type
  public static void keys(long target, List<Sequence> sequences, boolean firstKept, Lines lines) {
    long each = (long) lines.heads * lines.queries;
    if (each * lines.longest == 0) {
      return;
    }
    for (int from = 0; from < sequences.size(); from += MOST) {
      int count = Math.min(MOST, sequences.size() - from);
      Launch launch = LINES.of(lines.dtype).launch();
      put(launch, sequences, from, count, 0);
      launch
          .with(target + from * each * lines.longest * lines.dtype.bytes())
          .with(lines.heads)
          .with(lines.queries)
          .with(lines.longest)
          .with(firstKept)
          .run(count * each, THREADS);
    }
  }

  /// Writes rows of tokens times their factors.
  ///
  /// @param x address of the rows `(N, C)`
  /// @param result written; may be x
  /// @param sequences of the N tokens, in their order, none empty, the last not ending before N
  /// @param rows N
  /// @param width C
  /// @param dtype of x and the result
  public static void tokens(
      long x, long result, List<Sequence> sequences, int rows, int width, DType dtype) {
    for (int from = 0; from < sequences.size(); from += MOST) {
      int count = Math.min(MOST, sequences.size() - from);
      Sequence last = sequences.get(from + count - 1);
      int base = Math.max(0, sequences.get(from).start);
      int end = Math.min(rows, last.start + last.length);
      if (end <= base) {
        return;
      }
      long bytes = (long) base * width * dtype.bytes();
      Launch launch = TOKENS.of(dtype).launch();
      put(launch, sequences, from, count, base);
      launch.with(count).with(x + bytes).with(result + bytes).with(width).run(end - base, THREADS);
    }
  }

  private static void put(Launch launch, List<Sequence> sequences, int from, int count, int base) {
    MemorySegment struct = launch.struct(MOST * BYTES);
    for (int i = 0; i < count; i++) {
      Sequence sequence = sequences.get(from + i);
      SequenceMask mask = sequence.mask;
      boolean span = mask.drops() && mask.shape() == SequenceMask.Shape.SPAN;
      boolean each = mask.drops() && mask.shape() == SequenceMask.Shape.ELEMENT;
      long at = (long) i * BYTES;
      struct.set(JAVA_LONG, at, mask.stream().seed());
      int[] counter = mask.stream().counter(mask.row(), 0);
      MemorySegment.copy(counter, 0, struct, JAVA_INT, at + 8, counter.length);
      struct.set(JAVA_LONG, at + 24, Philox.threshold(mask.rate()));
      struct.set(JAVA_FLOAT, at + 32, mask.kept());
      struct.set(JAVA_FLOAT, at + 36, mask.dropped());
      struct.set(JAVA_INT, at + 40, sequence.start - base);
      struct.set(JAVA_INT, at + 44, sequence.length);
      struct.set(JAVA_INT, at + 48, span ? mask.span(sequence.length) : -1);
      struct.set(JAVA_INT, at + 52, each ? 1 : 0);
    }
  }
}
