package dev.gatun.models.data;

import org.jspecify.annotations.Nullable;

/// How data becomes examples.
///
/// @param tokenizer encodes texts; null if only rows of token ids may come
/// @param chat writes conversations out
/// @param maxLength most tokens of an example, at least 2: texts are cut into pieces of it, other
///   rows are cut off after it
/// @param vocabularySize rows of the model's embedding; each id must be smaller
public record DataOptions(
    @Nullable Tokenizer tokenizer, ChatFormat chat, int maxLength, int vocabularySize) {
  /// Checks the numbers.
  public DataOptions {
    if (maxLength < 2 || vocabularySize < 1) {
      throw new IllegalArgumentException(
          "data: maximum length %d, vocabulary %d: expected at least 2 and 1"
              .formatted(maxLength, vocabularySize));
    }
  }

  /// {@return options for texts and rows of a model with that tokenizer, conversations in the plain
  /// format}
  ///
  /// @param tokenizer encodes texts
  /// @param maxLength most tokens of an example
  public static DataOptions of(Tokenizer tokenizer, int maxLength) {
    return new DataOptions(tokenizer, new PlainChatFormat(), maxLength, tokenizer.vocabularySize());
  }
}
