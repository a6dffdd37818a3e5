package dev.gatun.models.data;

/// A tokenizer that knows which part of a text each token stands for.
public interface SpanTokenizer extends Tokenizer {
  /// Encodes a text as [#encode] does, with the parts.
  ///
  /// @param text any text
  /// @return the tokens
  Spans encodeSpans(String text);

  /// Encodes two texts with the special tokens that the model puts before, between and behind them.
  ///
  /// @param first any text
  /// @param second any text
  /// @return the token ids
  int[] encodePair(String first, String second);

  /// Tokens with their parts of a text, from `starts` to before `ends`, as indices of `char`s. A
  /// character of several tokens is part of each.
  ///
  /// @param ids the token ids
  /// @param starts index of each token's first `char`
  /// @param ends index behind each token's last
  record Spans(int[] ids, int[] starts, int[] ends) {
    /// Checks the lengths.
    public Spans {
      if (starts.length != ids.length || ends.length != ids.length) {
        throw new IllegalArgumentException(
            "spans: found %d starts, %d ends, expected %d"
                .formatted(starts.length, ends.length, ids.length));
      }
    }
  }
}
