package dev.gatun.runtime.random;

import java.util.Arrays;

/// The mask of one sequence of a batch, as data: it is drawn where it is used, on whatever device,
/// always with the same bits.
///
/// @param stream where in a run its bits belong
/// @param row row of the optimizer step
/// @param rate probability of each place to be dropped, or the share of places in a span; 0 in a
///   sequence that drops nothing
/// @param shape which places are drawn
/// @param kept value or factor of what stays
/// @param dropped value or factor of what is dropped
public record SequenceMask(
    MaskStream stream, int row, double rate, Shape shape, float kept, float dropped) {
  /// Which places are drawn by themselves.
  public enum Shape {
    /// A line of places for each query, or each channel of each token.
    ELEMENT,
    /// One line: a key for all queries, or a token with all its channels.
    COLUMN,
    /// One run of neighbours in one line.
    SPAN
  }

  /// {@return whether anything may be dropped}
  public boolean drops() {
    return rate > 0;
  }

  /// {@return how many places of a line a span takes}
  ///
  /// @param length places of the line
  public int span(int length) {
    return (int) Math.round(rate * length);
  }

  /// Writes the value of each place of a line.
  ///
  /// @param middle middle coordinate of the line, see [MaskStream]
  /// @param target receives the values
  /// @param at index of the line's first place
  /// @param length places of the line
  public void line(int middle, float[] target, int at, int length) {
    if (!drops()) {
      Arrays.fill(target, at, at + length, kept);
    } else if (shape == Shape.SPAN) {
      Arrays.fill(target, at, at + length, kept);
      int span = span(length);
      int start = (int) (stream.uniform(row, middle) * (length - span + 1));
      Arrays.fill(target, at + start, at + start + span, dropped);
    } else {
      stream.line(row, middle, Philox.threshold(rate), kept, dropped, target, at, length);
    }
  }
}
