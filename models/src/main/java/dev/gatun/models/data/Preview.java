package dev.gatun.models.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Shows a few examples token by token, with what is learnt of them.
public final class Preview {
  private static final int TEXT_WIDTH = 24;

  private Preview() {}

  /// Writes the first examples out as tables of position, id, text and whether the token is learnt.
  ///
  /// @param dataset what to show
  /// @param tokenizer decodes each token by itself, special ones included; null leaves the texts
  ///   empty
  /// @param rows most examples to show
  /// @param tokens most tokens of each to show
  /// @return lines, each ended by `\n`
  public static String of(Dataset dataset, @Nullable Tokenizer tokenizer, int rows, int tokens) {
    StringBuilder out = new StringBuilder();
    List<Example> shown = dataset.examples().subList(0, Math.min(rows, dataset.size()));
    for (Example example : shown) {
      out.append(
          "row %d: %d tokens, %d trained%n"
              .formatted(example.row(), example.length(), example.targets()));
      out.append("%8s | %8s | %-24s | trained?%n".formatted("position", "id", "token"));
      int end = Math.min(tokens, example.length());
      for (int i = 0; i < end; i++) {
        int id = example.ids()[i];
        String text = tokenizer == null ? "" : escape(tokenizer.decode(new int[] {id}, true));
        out.append(
            "%8d | %8d | %-24s | %s%n".formatted(i, id, text, example.isTrained(i) ? "yes" : "-"));
      }
      if (end < example.length()) {
        out.append("%8s | %d more%n".formatted("...", example.length() - end));
      }
    }
    return out.toString().replace(System.lineSeparator(), "\n");
  }

  private static String escape(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length() && out.length() < TEXT_WIDTH - 4; i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        case '\r' -> out.append("\\r");
        default -> out.append(Character.isISOControl(c) ? '\ufffd' : c);
      }
    }
    return out.append('"').toString();
  }
}
