package dev.gatun.models.data;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One row of tokens with what is to be learnt of it. Immutable as long as nobody writes into its
/// arrays.
public final class Example {
  /// The label of a token that is not learnt.
  public static final int IGNORED = -100;

  private final int row;
  private final int document;
  private final int[] ids;
  private final int @Nullable [] labels;
  private final int targets;

  /// Makes an example; the arrays are not copied.
  ///
  /// @param row index among the data's examples
  /// @param document index of the line or file it comes from; pieces of one text share it
  /// @param ids token ids, at least one
  /// @param labels what stands at each place, [#IGNORED] where it is not learnt; null for all of
  ///   `ids`
  public Example(int row, int document, int[] ids, int @Nullable [] labels) {
    if (ids.length == 0 || (labels != null && labels.length != ids.length)) {
      throw new IllegalArgumentException(
          "example: %d ids, %s labels: expected at least one id and as many labels"
              .formatted(ids.length, labels == null ? "no" : labels.length));
    }
    this.row = row;
    this.document = document;
    this.ids = ids;
    this.labels = labels;
    int count = 0;
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
  /// @return a token id or [#IGNORED]
  public int label(int position) {
    return labels == null ? ids[position] : labels[position];
  }

  /// Returns whether a token is learnt. The first never is: nothing comes before it.
  ///
  /// @param position index of the token
  /// @return true if the loss counts it
  public boolean isTrained(int position) {
    return position > 0 && label(position) != IGNORED;
  }

  /// Returns the number of tokens the loss counts.
  ///
  /// @return `length() - 1` where no label is masked
  public int targets() {
    return targets;
  }

  /// Returns this example at another place of the data.
  ///
  /// @param newRow index among the examples
  /// @return the same tokens and labels
  public Example withRow(int newRow) {
    return new Example(newRow, document, ids, labels);
  }

  @Override
  public String toString() {
    return "Example[row=%d, ids=%s, targets=%d]".formatted(row, Arrays.toString(ids), targets);
  }
}
