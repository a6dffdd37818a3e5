package dev.gatun.models.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// How a text is cut into the words that a metric counts.
public enum Tokenization {
  /// At white space alone; sacrebleu's `none`.
  WHITE_SPACE,

  /// As NIST's `mteval-v13a.pl` cuts Western languages: punctuation stands alone, but for points
  /// and commas within numbers; sacrebleu's `13a`, the usual choice for BLEU.
  MTEVAL_13A,

  /// The same in lower case, which is that script's own default and what the E2E challenge scores.
  MTEVAL_13A_LOWER_CASE;

  private static final Pattern PUNCTUATION = Pattern.compile("[{-~\\[-` -&(-+:-@/]");
  private static final Pattern POINT_AFTER = Pattern.compile("([^0-9])([.,])");
  private static final Pattern POINT_BEFORE = Pattern.compile("([.,])([^0-9])");
  private static final Pattern DASH = Pattern.compile("([0-9])(-)");

  /// Cuts a text into words.
  ///
  /// @param text any text
  /// @return its words, none of them empty
  public List<String> words(String text) {
    return switch (this) {
      case WHITE_SPACE -> split(text);
      case MTEVAL_13A -> mteval(text);
      case MTEVAL_13A_LOWER_CASE -> mteval(text.toLowerCase(Locale.ROOT));
    };
  }

  /// Cuts at what Python takes for white space.
  static List<String> split(String text) {
    List<String> words = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || isSpace(text.charAt(i))) {
        if (i > start) {
          words.add(text.substring(start, i));
        }
        start = i + 1;
      }
    }
    return List.copyOf(words);
  }

  private static List<String> mteval(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    String plain =
        text.substring(0, end)
            .replace("<skipped>", "")
            .replace("-\n", "")
            .replace("\n", " ")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
    String cut = PUNCTUATION.matcher(" " + plain + " ").replaceAll(" $0 ");
    cut = POINT_AFTER.matcher(cut).replaceAll("$1 $2 ");
    cut = POINT_BEFORE.matcher(cut).replaceAll(" $1 $2");
    cut = DASH.matcher(cut).replaceAll("$1 $2 ");
    return split(cut);
  }

  private static boolean isSpace(char c) {
    return (c >= '\t' && c <= '\r')
        || (c >= '\u001c' && c <= ' ')
        || (c >= '\u2000' && c <= '\u200a')
        || "\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000".indexOf(c) >= 0;
  }
}
