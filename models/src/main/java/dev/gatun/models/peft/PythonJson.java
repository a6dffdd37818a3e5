package dev.gatun.models.peft;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Writes JSON as Python's `json.dumps(value, indent=2, sort_keys=True)` does, byte for byte.
final class PythonJson {
  private final StringBuilder out = new StringBuilder();

  private PythonJson() {}

  /// Accepts maps with string keys, lists, strings, numbers, booleans and `null`.
  static String dumps(@Nullable Object value) {
    PythonJson json = new PythonJson();
    json.value(value, 0);
    return json.out.toString();
  }

  private void value(@Nullable Object value, int depth) {
    switch (value) {
      case null -> out.append("null");
      case String text -> string(text);
      case Double number -> out.append(repr(number));
      case Integer number -> out.append((int) number);
      case Long number -> out.append((long) number);
      case Boolean flag -> out.append((boolean) flag);
      case List<?> list -> {
        String separator = "[";
        for (Object item : list) {
          out.append(separator);
          newLine(depth + 1);
          value(item, depth + 1);
          separator = ",";
        }
        end(list.isEmpty(), depth, "[", "]");
      }
      case Map<?, ?> map -> {
        TreeMap<String, @Nullable Object> sorted = new TreeMap<>();
        map.forEach((key, item) -> sorted.put((String) key, item));
        String separator = "{";
        for (Map.Entry<String, @Nullable Object> entry : sorted.entrySet()) {
          out.append(separator);
          newLine(depth + 1);
          string(entry.getKey());
          out.append(": ");
          value(entry.getValue(), depth + 1);
          separator = ",";
        }
        end(map.isEmpty(), depth, "{", "}");
      }
      default -> throw new IllegalArgumentException("no JSON for " + value.getClass());
    }
  }

  private void end(boolean empty, int depth, String open, String close) {
    if (empty) {
      out.append(open);
    } else {
      newLine(depth);
    }
    out.append(close);
  }

  private void newLine(int depth) {
    out.append('\n').repeat(' ', 2 * depth);
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ' || c > '~') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  // Both languages print the shortest digits that read back; they place the point differently.
  private static String repr(double number) {
    BigDecimal shortest = new BigDecimal(Double.toString(number)).stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (shortest.signum() == 0 || (exponent >= -4 && exponent < 16)) {
      String plain = shortest.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String mantissa = shortest.movePointLeft(exponent).stripTrailingZeros().toPlainString();
    return mantissa + "e" + (exponent < 0 ? "-" : "+") + "%02d".formatted(Math.abs(exponent));
  }
}
