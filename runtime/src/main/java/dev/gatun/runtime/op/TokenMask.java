package dev.gatun.runtime.op;

import dev.gatun.runtime.random.SequenceMask;
import java.util.Arrays;
import java.util.List;
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

  /// {@return the masks of a batch}
  ///
  /// @param batch how the tokens divide
  /// @param sequences the mask of each sequence
  public static TokenMask of(Ragged batch, List<SequenceMask> sequences) {
    List<SequenceMask> all = List.copyOf(sequences);
    if (all.size() != batch.sequences()) {
      throw new IllegalArgumentException(
          "token mask: found %d sequences, expected %d".formatted(all.size(), batch.sequences()));
    }
    float[][] whole = new float[all.size()][];
    for (int i = 0; i < whole.length; i++) {
      SequenceMask mask = all.get(i);
      if (mask.drops() && mask.shape() != SequenceMask.Shape.ELEMENT) {
        whole[i] = new float[batch.length(i)];
        mask.line(0, whole[i], 0, whole[i].length);
      }
    }
    return new TokenMask(batch, all, 0, whole);
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
