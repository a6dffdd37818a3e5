package dev.gatun.models.task;

/// The special tokens of a model around two texts.
///
/// | model | before | between | after |
/// |---|---|---|---|
/// | BERT, DeBERTa | `[CLS]` | `[SEP]` | `[SEP]` |
/// | RoBERTa | `<s>` | `</s></s>` | `</s>` |
///
/// @param before ids before the first text, at least one
/// @param between ids between the two
/// @param after ids behind the second
public record PairLayout(int[] before, int[] between, int[] after) {
  /// Checks that there is a token to point at.
  public PairLayout {
    if (before.length == 0) {
      throw new IllegalArgumentException("layout: found no token before the texts, expected one");
    }
  }
}
