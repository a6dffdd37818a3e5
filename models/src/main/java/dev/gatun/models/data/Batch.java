package dev.gatun.models.data;

import java.util.ArrayList;
import java.util.List;

/// The tokens of one forward pass: segments of any length one after the other, without padding.
///
/// `N` is the number of tokens, `S` that of segments. Each segment is one example: it sees only
/// itself and its positions begin at 0, packed or not. The arrays are not copied.
public final class Batch {
  private final int[] ids; // (N)
  private final int[] labels; // (N)
  private final int[] offsets; // (S + 1)
  private final int[] rows; // (S)
  private final List<SequenceLabel> sequenceLabels; // S, or none
  private final int targetCount;

  private Batch(
      int[] ids, int[] labels, int[] offsets, int[] rows, List<SequenceLabel> sequenceLabels) {
    this.ids = ids;
    this.labels = labels;
    this.offsets = offsets;
    this.rows = rows;
    this.sequenceLabels = List.copyOf(sequenceLabels);
    int count = sequenceLabels.size();
    for (int target : targets()) {
      if (target != Example.IGNORED) {
        count++;
      }
    }
    this.targetCount = count;
  }

  /// Puts examples one after the other.
  ///
  /// @param examples at least one
  /// @param firstRow row of the first in the optimizer step; the others count on
  /// @return the batch
  /// @throws IllegalArgumentException if there is no example or more than 2^31 - 1 tokens, or some
  ///   have labels as a whole and some have not
  public static Batch of(List<Example> examples, int firstRow) {
    if (examples.isEmpty()) {
      throw new IllegalArgumentException("batch: found no examples, expected at least one");
    }
    long tokens = examples.stream().mapToLong(Example::length).sum();
    if (tokens > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "batch: found " + tokens + " tokens, expected fewer than 2^31");
    }
    int[] ids = new int[(int) tokens];
    int[] labels = new int[ids.length];
    int[] offsets = new int[examples.size() + 1];
    int[] rows = new int[examples.size()];
    List<SequenceLabel> sequenceLabels = new ArrayList<>();
    for (int s = 0; s < rows.length; s++) {
      Example example = examples.get(s);
      int offset = offsets[s];
      System.arraycopy(example.ids(), 0, ids, offset, example.length());
      for (int i = 0; i < example.length(); i++) {
        labels[offset + i] = example.label(i);
      }
      offsets[s + 1] = offset + example.length();
      rows[s] = firstRow + s;
      SequenceLabel label = example.sequenceLabel();
      if (label != null) {
        sequenceLabels.add(label);
      }
    }
    if (!sequenceLabels.isEmpty() && sequenceLabels.size() != rows.length) {
      throw new IllegalArgumentException(
          "batch: found %d examples of %d with labels as a whole, expected all or none"
              .formatted(sequenceLabels.size(), rows.length));
    }
    return new Batch(ids, labels, offsets, rows, sequenceLabels);
  }

  /// Returns the tokens.
  ///
  /// @return `(N)` token ids
  public int[] ids() {
    return ids;
  }

  /// Returns the labels, each at the place of its own token.
  ///
  /// @return `(N)` token ids or [Example#IGNORED]
  public int[] labels() {
    return labels;
  }

  /// Returns what each place is to predict: the label of the next place of its segment.
  ///
  /// @return `(N)` token ids or [Example#IGNORED], which the last place of a segment always has; a
  ///   new array
  public int[] targets() {
    int[] targets = new int[ids.length];
    System.arraycopy(labels, 1, targets, 0, ids.length - 1);
    for (int s = 0; s < rows.length; s++) {
      targets[offsets[s + 1] - 1] = Example.IGNORED;
    }
    return targets;
  }

  /// Returns the labels of whole segments.
  ///
  /// @return `S` labels, or none where tokens are learnt
  public List<SequenceLabel> sequenceLabels() {
    return sequenceLabels;
  }

  /// Returns where segments begin and end.
  ///
  /// @return `(S + 1)` offsets, from 0 to `N`
  public int[] offsets() {
    return offsets;
  }

  /// Returns the logical row of each segment in its optimizer step, which dropout masks are drawn
  /// by.
  ///
  /// @return `(S)` rows, counted through all batches of the step
  public int[] rows() {
    return rows;
  }

  /// Returns the place of each token in its segment.
  ///
  /// @return `(N)` positions, each segment from 0; a new array
  public int[] positions() {
    int[] positions = new int[ids.length];
    for (int s = 0; s < rows.length; s++) {
      for (int i = offsets[s]; i < offsets[s + 1]; i++) {
        positions[i] = i - offsets[s];
      }
    }
    return positions;
  }

  /// Returns the number of tokens, `N`.
  ///
  /// @return at least 1
  public int tokens() {
    return ids.length;
  }

  /// Returns the number of segments, `S`.
  ///
  /// @return at least 1
  public int segments() {
    return rows.length;
  }

  /// Returns how often the loss counts: for each learnt token, or for each label of a segment.
  ///
  /// @return targets that are not ignored, or the number of segments' labels
  public int targetCount() {
    return targetCount;
  }

  /// Returns the length of the longest segment.
  ///
  /// @return tokens
  public int longest() {
    int longest = 0;
    for (int s = 0; s < rows.length; s++) {
      longest = Math.max(longest, offsets[s + 1] - offsets[s]);
    }
    return longest;
  }
}
