package dev.gatun.models.data;

import java.util.Arrays;
import java.util.OptionalInt;

/// Turns text into token ids and back.
///
/// Implementations are thread-safe and make no libtorch calls.
public interface Tokenizer {
  /// Encodes a text as it stands: nothing is added to it and nothing is cut off.
  ///
  /// A special token that is written out in the text becomes that token.
  ///
  /// @param text any text
  /// @return the token ids
  int[] encode(String text);

  /// Encodes a text that begins a document: with the beginning token in front where the model's
  /// texts begin with one.
  ///
  /// @param text any text
  /// @return the token ids
  default int[] encodeDocument(String text) {
    int[] ids = encode(text);
    if (!beginsDocuments()) {
      return ids;
    }
    int[] begun = new int[ids.length + 1];
    begun[0] = bosId().orElseThrow();
    System.arraycopy(ids, 0, begun, 1, ids.length);
    return begun;
  }

  /// Decodes ids to text.
  ///
  /// Bytes that are no UTF-8, such as half a character, become U+FFFD; [StreamingDecoder] waits for
  /// the rest instead.
  ///
  /// @param ids token ids, each below [#vocabularySize]
  /// @param withSpecialTokens whether special tokens are written out or left out
  /// @return the text
  String decode(int[] ids, boolean withSpecialTokens);

  /// Decodes what a model wrote: ids that no token stands for, as of rows that fill an embedding
  /// up, are left out.
  ///
  /// @param ids ids of a model
  /// @param withSpecialTokens whether special tokens are written out or left out
  /// @return the text
  default String decodeWritten(int[] ids, boolean withSpecialTokens) {
    int known = vocabularySize();
    return decode(Arrays.stream(ids).filter(id -> id < known).toArray(), withSpecialTokens);
  }

  /// Returns what a token writes: UTF-8, or a part of a character.
  ///
  /// The bytes of all tokens of [#encode] together are the text in UTF-8, behind the blank that
  /// some tokenizers put in front of a text and behind added tokens, as far as the tokenizer keeps
  /// a text as it is: one that folds case or blanks writes what it made of it.
  ///
  /// @param id any number
  /// @return bytes of the caller's own; none for a special token, a token that stands for unknown
  ///   text, and an id that no token stands for
  byte[] bytes(int id);

  /// Returns the number of tokens, added ones included: one more than the largest id.
  ///
  /// @return tokens
  int vocabularySize();

  /// Returns whether the model's texts begin with the beginning token.
  ///
  /// @return true only where [#bosId] is present
  boolean beginsDocuments();

  /// Returns the token that begins a text.
  ///
  /// @return an id, or empty if the model has none
  OptionalInt bosId();

  /// Returns the token that ends a text.
  ///
  /// @return an id, or empty if the model has none
  OptionalInt eosId();

  /// Returns the token that fills rows up. It is never trained on.
  ///
  /// @return an id, or empty if the model has none
  OptionalInt padId();
}
