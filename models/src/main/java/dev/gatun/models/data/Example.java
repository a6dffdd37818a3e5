package dev.gatun.models.data;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One row of tokens with what is to be learnt of it: the tokens themselves, each from those before
/// it, or a label of the whole. Immutable as long as nobody writes into its arrays.
public final class Example {
  /// The label of a token that is not learnt.
  public static final int IGNORED = -100;

  private final int row;
  private final int document;
  private final int[] ids;
  private final int @Nullable [] labels;
  private final @Nullable SequenceLabel sequenceLabel;
  private final int targets;

  /// Makes an example; the arrays are not copied.
  ///
  /// @param row index among the data's examples
  /// @param document index of the line or file it comes from; pieces of one text share it
  /// @param ids token ids, at least one
  /// @param labels what stands at each place, [#IGNORED] where it is not learnt; null for all of
  ///   `ids`
  public Example(int row, int document, int[] ids, int @Nullable [] labels) {
    this(row, document, ids, labels, null);
  }

  /// Makes an example that has a label as a whole; the array is not copied.
  ///
  /// @param row index among the data's examples
  /// @param document index of the line or file it comes from; pieces of one text share it
  /// @param ids token ids, at least one
  /// @param label what is to be learnt
  /// @return the example
  public static Example labelled(int row, int document, int[] ids, SequenceLabel label) {
    return new Example(row, document, ids, null, label);
  }

  private Example(
      int row,
      int document,
      int[] ids,
      int @Nullable [] labels,
      @Nullable SequenceLabel sequenceLabel) {
    if (ids.length == 0 || (labels != null && labels.length != ids.length)) {
      throw new IllegalArgumentException(
          "example: %d ids, %s labels: expected at least one id and as many labels"
              .formatted(ids.length, labels == null ? "no" : labels.length));
    }
    if (sequenceLabel instanceof SequenceLabel.Span span && span.end() >= ids.length) {
      throw new IllegalArgumentException(
          "example: found an answer up to token %d of %d".formatted(span.end(), ids.length));
    }
    this.row = row;
    this.document = document;
    this.ids = ids;
    this.labels = labels;
    this.sequenceLabel = sequenceLabel;
    int count = sequenceLabel == null ? 0 : 1;
    for (int i = 1; i < ids.length; i++) {
      if (label(i) != IGNORED) {
        count++;
      }
    }
    this.targets = count;
  }

  /// Returns the index among the data's examples.
  ///
  /// @return counted from 0
  public int row() {
    return row;
  }

  /// Returns the index of the line or file the example comes from.
  ///
  /// @return counted from 0
  public int document() {
    return document;
  }

  /// Returns the tokens.
  ///
  /// @return the ids themselves, not a copy
  public int[] ids() {
    return ids;
  }

  /// Returns the number of tokens.
  ///
  /// @return at least 1
  public int length() {
    return ids.length;
  }

  /// Returns what is to be predicted at a place, from the tokens before it.
  ///
  /// @param position index of the token
  /// @return a token id or [#IGNORED]; always that where the whole has a label
  public int label(int position) {
    if (sequenceLabel != null) {
      return IGNORED;
    }
    return labels == null ? ids[position] : labels[position];
  }

  /// Returns the label of the whole.
  ///
  /// @return the label, or null where tokens are learnt
  public @Nullable SequenceLabel sequenceLabel() {
    return sequenceLabel;
  }

  /// Returns whether a token is learnt. The first never is: nothing comes before it.
  ///
  /// @param position index of the token
  /// @return true if the loss counts it
  public boolean isTrained(int position) {
    return position > 0 && label(position) != IGNORED;
  }

  /// Returns how often the loss counts: for each learnt token, or once for the label of the whole.
  ///
  /// @return `length() - 1` where tokens are learnt and no label is masked
  public int targets() {
    return targets;
  }

  /// Returns this example at another place of the data.
  ///
  /// @param newRow index among the examples
  /// @return the same tokens and labels
  public Example withRow(int newRow) {
    return new Example(newRow, document, ids, labels, sequenceLabel);
  }

  @Override
  public String toString() {
    return "Example[row=%d, ids=%s, targets=%d]".formatted(row, Arrays.toString(ids), targets);
  }
}
