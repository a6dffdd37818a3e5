package dev.gatun.models.data;

import java.util.Arrays;

/// Decodes a growing list of tokens piece by piece, never half a character. Not thread-safe.
///
/// A token's text can depend on the tokens before it (a blank that only the first word loses, a
/// character spread over several tokens), so each piece is the difference of two decodings which
/// begin at the same, earlier token. All pieces together are the text of all tokens.
public final class StreamingDecoder {
  private static final char REPLACEMENT = '\ufffd';

  private final Tokenizer tokenizer;
  private int[] ids = new int[64];
  private int size;

  /// First token of the window that is decoded, and first token whose text is still owed.
  private int windowStart;

  private int owedStart;

  /// Starts with no tokens.
  ///
  /// @param tokenizer decodes the windows; special tokens are left out
  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// Takes the next token.
  ///
  /// @param id the token
  /// @return the text that is certain now, empty while a character is incomplete
  public String next(int id) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
    }
    ids[size++] = id;
    String text = decode(windowStart, size);
    if (!text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT) {
      return "";
    }
    return settle(text);
  }

  /// Ends the text.
  ///
  /// @return what is still owed; an incomplete character is U+FFFD
  public String finish() {
    return owedStart == size ? "" : settle(decode(windowStart, size));
  }

  private String settle(String text) {
    String known = decode(windowStart, owedStart);
    if (text.length() <= known.length()) {
      return ""; // a special token: keep the window as it is
    }
    windowStart = owedStart;
    owedStart = size;
    return text.substring(known.length());
  }

  private String decode(int from, int to) {
    return tokenizer.decodeWritten(Arrays.copyOfRange(ids, from, to), false);
  }
}
