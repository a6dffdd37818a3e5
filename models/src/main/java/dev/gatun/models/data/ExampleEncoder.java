package dev.gatun.models.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Makes tokens and labels of texts, completions and conversations. Thread-safe.
public final class ExampleEncoder {
  /// A text is encoded in stretches of about this many characters, to bound the memory of the
  /// encoder.
  private static final int STRETCH = 1 << 20;

  private final DataOptions options;

  /// Makes an encoder.
  ///
  /// @param options tokenizer, chat format and lengths
  public ExampleEncoder(DataOptions options) {
    this.options = options;
  }

  /// Tokens with labels, null where each token is its own label.
  static final class Encoded {
    private final int[] ids;
    private final int @Nullable [] labels;

    Encoded(int[] ids, int @Nullable [] labels) {
      this.ids = ids;
      this.labels = labels;
    }

    int[] ids() {
      return ids;
    }

    int @Nullable [] labels() {
      return labels;
    }
  }

  DataOptions options() {
    return options;
  }

  /// Encodes a conversation up to where the assistant's next turn begins.
  ///
  /// @param messages at least one message
  /// @return the ids to generate from
  public int[] chatPrompt(List<ChatMessage> messages) {
    return encode(options.chat().prompt(messages)).ids();
  }

  /// Encodes a prompt as it stands before a completion.
  ///
  /// @param prompt any text
  /// @return the ids to generate from
  public int[] prompt(String prompt) {
    return tokenizer().encodeDocument(prompt);
  }

  /// Makes an example of a prompt with its completion, which alone is learnt, cut off at the
  /// maximum length.
  ///
  /// @param row index among the data's examples
  /// @param document index of the row it comes from
  /// @param prompt any text
  /// @param completion any text
  /// @return the example
  public Example example(int row, int document, String prompt, String completion) {
    Encoded encoded = completion(prompt, completion);
    return example(row, document, encoded.ids(), encoded.labels());
  }

  /// Returns the pieces of a text with its beginning and end, each of the maximum length but the
  /// last.
  List<int[]> text(String text) {
    TokenList all = new TokenList();
    for (int from = 0; from < text.length(); ) {
      int to = stretchEnd(text, from);
      String stretch = text.substring(from, to);
      all.add(from == 0 ? tokenizer().encodeDocument(stretch) : tokenizer().encode(stretch), true);
      from = to;
    }
    end(all, true);
    List<int[]> pieces = new ArrayList<>();
    int[] ids = all.ids();
    for (int from = 0; from < ids.length; from += options.maxLength()) {
      pieces.add(Arrays.copyOfRange(ids, from, Math.min(from + options.maxLength(), ids.length)));
    }
    int last = pieces.size() - 1;
    if (last > 0 && pieces.get(last).length == 1) {
      pieces.remove(last); // one token alone has nothing to be predicted from
    }
    return pieces;
  }

  Encoded completion(String prompt, String completion) {
    TokenList all = new TokenList();
    all.add(prompt(prompt), false);
    all.add(tokenizer().encode(completion), true);
    end(all, true);
    return all.encoded();
  }

  Encoded chat(List<ChatMessage> messages) {
    List<ChatPiece> pieces = new ArrayList<>(options.chat().pieces(messages));
    while (!pieces.isEmpty() && !pieces.getLast().trained()) {
      pieces.removeLast();
    }
    return encode(pieces);
  }

  /// Makes an example of at most the maximum length.
  Example example(int row, int document, int[] ids, int @Nullable [] labels) {
    int length = Math.min(ids.length, options.maxLength());
    return new Example(
        row,
        document,
        length == ids.length ? ids : Arrays.copyOf(ids, length),
        labels == null || length == labels.length ? labels : Arrays.copyOf(labels, length));
  }

  private Encoded encode(List<ChatPiece> pieces) {
    TokenList all = new TokenList();
    boolean begins = tokenizer().beginsDocuments() && !options.chat().writesBos();
    if (begins) {
      all.add(new int[] {tokenizer().bosId().orElseThrow()}, false);
    }
    for (ChatPiece piece : pieces) {
      all.add(tokenizer().encode(piece.text()), piece.trained());
      if (piece.ended()) {
        end(all, piece.trained());
      }
    }
    return all.encoded();
  }

  private void end(TokenList all, boolean trained) {
    tokenizer().eosId().ifPresent(eos -> all.add(new int[] {eos}, trained));
  }

  /// Returns where a stretch that begins at `from` ends: the text's end, or the beginning of a line
  /// that is not blank there, which no tokenizer's word crosses.
  private static int stretchEnd(String text, int from) {
    for (int i = from + STRETCH; i < text.length(); i++) {
      if (text.charAt(i - 1) == '\n' && !Character.isWhitespace(text.charAt(i))) {
        return i;
      }
    }
    return text.length();
  }

  private Tokenizer tokenizer() {
    return Objects.requireNonNull(options.tokenizer(), "a text needs a tokenizer");
  }

  /// Ids and labels that grow.
  private static final class TokenList {
    private int[] ids = new int[256];
    private int[] labels = new int[256];
    private int size;

    void add(int[] more, boolean trained) {
      if (size + more.length > ids.length) {
        int capacity = Math.max(2 * ids.length, size + more.length);
        ids = Arrays.copyOf(ids, capacity);
        labels = Arrays.copyOf(labels, capacity);
      }
      System.arraycopy(more, 0, ids, size, more.length);
      if (trained) {
        System.arraycopy(more, 0, labels, size, more.length);
      } else {
        Arrays.fill(labels, size, size + more.length, Example.IGNORED);
      }
      size += more.length;
    }

    int[] ids() {
      return Arrays.copyOf(ids, size);
    }

    Encoded encoded() {
      return new Encoded(ids(), Arrays.copyOf(labels, size));
    }
  }
}
