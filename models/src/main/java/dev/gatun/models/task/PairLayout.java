package dev.gatun.models.task;

import dev.gatun.models.data.SpanTokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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

  /// {@return the layout of a tokenizer}
  ///
  /// @param tokenizer a model's, which puts its special tokens around two texts
  /// @throws IllegalArgumentException if it puts none before the first
  public static PairLayout of(SpanTokenizer tokenizer) {
    int[] text = tokenizer.encode("a");
    int[] pair = tokenizer.encodePair("a", "a");
    int first = find(pair, text, 0);
    int second = find(pair, text, first + text.length);
    if (text.length == 0 || first < 1 || second < 0) {
      throw new IllegalArgumentException(
          "tokenizer: found %s for a pair of texts of %s, expected both with special tokens around"
              .formatted(Arrays.toString(pair), Arrays.toString(text)));
    }
    return new PairLayout(
        Arrays.copyOf(pair, first),
        Arrays.copyOfRange(pair, first + text.length, second),
        Arrays.copyOfRange(pair, second + text.length, pair.length));
  }

  private static int find(int[] in, int[] what, int from) {
    return IntStream.rangeClosed(Math.max(from, 0), in.length - what.length)
        .filter(i -> Arrays.equals(in, i, i + what.length, what, 0, what.length))
        .findFirst()
        .orElse(-1);
  }

  /// Returns one text within its tokens, cut at its end.
  int[] of(int[] text, int most) {
    int room = Math.max(0, most - before.length - after.length);
    return join(before, Arrays.copyOf(text, Math.min(text.length, room)), after);
  }

  /// Returns two texts within their tokens, cut at their ends, the longer one first.
  int[] of(int[] first, int[] second, int most) {
    int room = Math.max(0, most - before.length - between.length - after.length);
    int shorter = Math.min(first.length, second.length);
    int longer = Math.max(first.length, second.length);
    if (shorter + longer > room) {
      // as the tokenizers library shares the room out
      longer = Math.min(longer, Math.max(shorter, room - shorter));
      if (shorter + longer > room) {
        shorter = room / 2;
        longer = room - shorter;
      }
    }
    boolean firstIsLonger = first.length > second.length;
    return join(
        before,
        Arrays.copyOf(first, firstIsLonger ? longer : shorter),
        between,
        Arrays.copyOf(second, firstIsLonger ? shorter : longer),
        after);
  }

  static int[] join(int[]... parts) {
    return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
  }
}
