package dev.gatun.runtime.op;

import dev.gatun.runtime.kernel.cuda.CudaMasks;
import dev.gatun.runtime.random.SequenceMask;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Factors of the tokens of a batch, or of their elements; see [Drop#tokens]. Thread-safe.
public final class TokenMask {
  private final Ragged batch;
  private final List<SequenceMask> sequences;
  private final int first;
  private final float[] @Nullable [] whole;

  private TokenMask(
      Ragged batch, List<SequenceMask> sequences, int first, float[] @Nullable [] whole) {
    this.batch = batch;
    this.sequences = sequences;
    this.first = first;
    this.whole = whole;
  }

  /// Makes the masks of a batch.
  ///
  /// @param batch how the tokens divide
  /// @param sequences the mask of each sequence
  /// @throws IllegalArgumentException if there are more or fewer masks than sequences
  public TokenMask(Ragged batch, List<SequenceMask> sequences) {
    this(batch, List.copyOf(sequences), 0, whole(batch, sequences));
  }

  private static float[] @Nullable [] whole(Ragged batch, List<SequenceMask> sequences) {
    if (sequences.size() != batch.sequences()) {
      throw new IllegalArgumentException(
          "token mask: found %d sequences, expected %d"
              .formatted(sequences.size(), batch.sequences()));
    }
    float[] @Nullable [] whole = new float[sequences.size()][];
    for (int i = 0; i < whole.length; i++) {
      SequenceMask mask = sequences.get(i);
      if (mask.drops() && mask.shape() != SequenceMask.Shape.ELEMENT) {
        float[] line = new float[batch.length(i)];
        mask.line(0, line, 0, line.length);
        whole[i] = line;
      }
    }
    return whole;
  }

  /// {@return the masks of the tokens from one on}
  ///
  /// @param start the token that becomes the first
  public TokenMask from(int start) {
    return start == 0 ? this : new TokenMask(batch, sequences, first + start, whole);
  }

  /// {@return how many tokens have factors}
  public int tokens() {
    return batch.tokens() - first;
  }

  /// Returns the sequences as a kernel wants them, numbered from the first token on.
  List<CudaMasks.Sequence> onGpu() {
    return IntStream.range(0, sequences.size())
        .filter(i -> batch.start(i) + batch.length(i) > first)
        .mapToObj(
            i -> new CudaMasks.Sequence(sequences.get(i), batch.start(i) - first, batch.length(i)))
        .toList();
  }

  /// Writes the factors of a token.
  ///
  /// @param factors receives a factor for each channel
  /// @param row number of the token
  public void factors(float[] factors, long row) {
    int token = Math.toIntExact(first + row);
    int sequence = batch.sequence(token);
    SequenceMask mask = sequences.get(sequence);
    int position = token - batch.start(sequence);
    float[] line = whole[sequence];
    if (line != null) {
      Arrays.fill(factors, line[position]);
    } else {
      mask.line(position, factors, 0, factors.length);
    }
  }
}
