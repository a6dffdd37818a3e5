package dev.gatun.models.task;

import dev.gatun.models.data.SpanTokenizer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One or two texts as the ids that a model reads as a whole. Thread-safe.
///
/// An encoder reads the texts between its special tokens, a decoder the texts with a line break
/// between them, as its documents begin. Texts that are too long are cut at their ends, the longer
/// one first, as transformers does it (`longest_first`).
public final class TextInput {
  private final SpanTokenizer tokenizer;
  private final @Nullable PairLayout layout;

  private TextInput(SpanTokenizer tokenizer, @Nullable PairLayout layout) {
    this.tokenizer = tokenizer;
    this.layout = layout;
  }

  /// {@return the way of a model}
  ///
  /// @param tokenizer the model's
  /// @param causal whether it is a decoder
  /// @throws IllegalArgumentException if it is an encoder whose tokenizer puts no special tokens
  ///   around texts
  public static TextInput of(SpanTokenizer tokenizer, boolean causal) {
    return new TextInput(tokenizer, causal ? null : PairLayout.of(tokenizer));
  }

  /// {@return the ids}
  ///
  /// @param first a text
  /// @param second the other of a pair, or null
  /// @param most ids to return at most
  public int[] ids(String first, @Nullable String second, int most) {
    if (layout == null) {
      int[] ids = tokenizer.encodeDocument(second == null ? first : first + "\n" + second);
      // a text without any token still needs one to be read at
      int[] some = ids.length > 0 ? ids : tokenizer.encodeDocument("\n");
      return Arrays.copyOf(some, Math.min(some.length, most));
    }
    int[] ids = tokenizer.encode(first);
    return second == null ? layout.of(ids, most) : layout.of(ids, tokenizer.encode(second), most);
  }
}
