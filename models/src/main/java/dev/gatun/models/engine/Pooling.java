package dev.gatun.models.engine;

/// What of a text's last activations becomes its embedding.
public enum Pooling {
  /// The mean over all tokens, special ones included.
  MEAN,
  /// The first token, such as `[CLS]` or `<s>`.
  FIRST,
  /// The last token.
  LAST
}
