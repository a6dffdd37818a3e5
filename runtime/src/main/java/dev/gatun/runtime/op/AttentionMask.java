package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.kernel.cuda.CudaMasks;
import dev.gatun.runtime.random.SequenceMask;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A mask of attention by key, or by query and key, as data: [Attention] draws it where it is used.
///
/// No query is left without a key: in a causal layer position 0 of a sequence is never dropped, in
/// another a query that drew all its keys keeps all.
///
/// @param batch how the tokens divide; B sequences, the longest of T tokens
/// @param sequences the mask of each sequence
/// @param heads H, query heads
/// @param causal whether queries see no further than themselves
public record AttentionMask(Ragged batch, List<SequenceMask> sequences, int heads, boolean causal) {
  /// What the counter of a mask tells apart, see [dev.gatun.runtime.random.MaskStream].
  private static final int MOST_HEADS = 1 << 8;

  private static final int MOST_QUERIES = 1 << 16;

  /// Copies the list and checks the sizes.
  public AttentionMask {
    sequences = List.copyOf(sequences);
    if (sequences.size() != batch.sequences()) {
      throw new IllegalArgumentException(
          "attention mask: found %d sequences, expected %d"
              .formatted(sequences.size(), batch.sequences()));
    }
    if (has(sequences, SequenceMask.Shape.ELEMENT)
        && (batch.longest() > MOST_QUERIES || heads > MOST_HEADS)) {
      throw new IllegalArgumentException(
          "element masks of attention: found %d heads and %d tokens, expected at most %d and %d"
              .formatted(heads, batch.longest(), MOST_HEADS, MOST_QUERIES));
    }
  }

  private static boolean has(List<SequenceMask> all, SequenceMask.Shape shape) {
    return all.stream().anyMatch(mask -> mask.drops() && mask.shape() == shape);
  }

  /// {@return whether a sequence of the batch has a mask of this shape}
  ///
  /// @param shape the shape
  public boolean has(SequenceMask.Shape shape) {
    return has(sequences, shape);
  }

  /// {@return the values, f32 `(B, H, 1, T)`, or `(B, H, T, T)` where each query has a line of its
  /// own}
  ///
  /// @param scope owner of the result
  public Tensor draw(Scope scope) {
    int longest = batch.longest();
    int queries = has(SequenceMask.Shape.ELEMENT) ? longest : 1;
    if (scope.device().isCuda()) {
      Tensor drawn = scope.empty(DType.F32, batch.sequences(), heads, queries, longest);
      if (CudaKernels.reach(drawn)) {
        drawOnGpu(drawn, queries);
        return drawn;
      }
    }
    int size = Math.multiplyExact(heads * queries, longest);
    float[] values = new float[Math.multiplyExact(batch.sequences(), size)];
    for (int i = 0; i < batch.sequences(); i++) {
      sequence(values, i * size, queries, sequences.get(i), batch.length(i));
    }
    return scope.of(values, batch.sequences(), heads, queries, longest);
  }

  private void drawOnGpu(Tensor target, int queries) {
    List<CudaMasks.Sequence> all =
        IntStream.range(0, sequences.size())
            .mapToObj(
                i -> new CudaMasks.Sequence(sequences.get(i), batch.start(i), batch.length(i)))
            .toList();
    CudaMasks.Lines lines = new CudaMasks.Lines(heads, queries, batch.longest(), DType.F32);
    CudaMasks.keys(target.dataAddress(), all, causal, lines);
  }

  private void sequence(float[] values, int start, int queries, SequenceMask mask, int length) {
    boolean elements = mask.drops() && mask.shape() == SequenceMask.Shape.ELEMENT;
    int longest = batch.longest();
    for (int h = 0; h < heads; h++) {
      for (int t = 0; t < queries; t++) {
        int at = start + (h * queries + t) * longest;
        if (!elements && t > 0) { // another sequence of the batch has a line for each query
          System.arraycopy(values, at - longest, values, at, longest);
          continue;
        }
        mask.line(elements ? h << 16 | t : h, values, at, length);
        if (causal) {
          values[at] = mask.kept();
        } else if (all(values, at, length, mask.dropped())) {
          Arrays.fill(values, at, at + length, mask.kept());
        }
      }
    }
  }

  private static boolean all(float[] values, int at, int length, float value) {
    for (int i = at; i < at + length; i++) {
      if (values[i] != value) {
        return false;
      }
    }
    return true;
  }
}
