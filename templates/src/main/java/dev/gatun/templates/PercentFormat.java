package dev.gatun.templates;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Python's `%` on a string: `s`, `r`, `d`, `i`, `x`, `f` and `%`, with flags, width and precision.
final class PercentFormat {
  private static final Pattern FIELD =
      Pattern.compile(
          "%(?:\\(([^)]*)\\))?([-+ 0]*)(\\d{0,6})(?:\\.(\\d{1,3}))?(.)", Pattern.DOTALL);

  private final Python python;
  private final Object given;
  private final List<Object> values;
  private int used;

  PercentFormat(Python python, Object given) {
    this.python = python;
    this.given = given;
    this.values = given instanceof Tuple tuple ? tuple : List.of(given);
  }

  String format(String text) {
    StringBuilder out = new StringBuilder();
    Matcher field = FIELD.matcher(text);
    int from = 0;
    for (int at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
      if (!field.find(at) || field.start() != at) {
        throw new TemplateException("%: found a lone sign, expected a field");
      }
      out.append(text, from, at).append(field(field));
      from = field.end();
    }
    if (!(given instanceof Map) && used < values.size()) {
      throw new TemplateException("%: found " + values.size() + " values, expected " + used);
    }
    python.budget().chars(out.length());
    return out.append(text.substring(from)).toString();
  }

  private String field(Matcher field) {
    char kind = field.group(5).charAt(0);
    if (kind == '%') {
      return "%";
    }
    Object value = value(field.group(1));
    String digits = field.group(4);
    String text =
        switch (kind) {
          case 's' -> cut(python.text(value), digits);
          case 'r' -> cut(value instanceof String s ? Text.quoted(s) : python.text(value), digits);
          case 'd', 'i', 'u' -> number(value).setScale(0, RoundingMode.DOWN).toPlainString();
          case 'x' -> number(value).toBigInteger().toString(16);
          case 'f', 'F' ->
              number(value)
                  .setScale(digits == null ? 6 : Integer.parseInt(digits), RoundingMode.HALF_EVEN)
                  .toPlainString();
          default ->
              throw new TemplateException(
                  "%: found field " + kind + ", expected one of s, r, d, i, x, f");
        };
    return padded(text, field.group(2), field.group(3), kind != 's' && kind != 'r');
  }

  private String padded(String text, String flags, String width, boolean isNumber) {
    String sign =
        isNumber && !text.startsWith("-")
            ? flags.contains("+") ? "+" : flags.contains(" ") ? " " : ""
            : "";
    int wide = width.isEmpty() ? 0 : Integer.parseInt(width);
    String how =
        flags.contains("-") ? "ljust" : isNumber && flags.contains("0") ? "zfill" : "rjust";
    return new StringMethods(python).pad(sign + text, how, wide, how.equals("zfill") ? "0" : " ");
  }

  private static String cut(String text, @Nullable String digits) {
    if (digits == null) {
      return text;
    }
    int most = Math.min(Integer.parseInt(digits), text.codePointCount(0, text.length()));
    return text.substring(0, text.offsetByCodePoints(0, most));
  }

  private Object value(@Nullable String name) {
    if (name != null) {
      if (given instanceof Map<?, ?> map) {
        return Python.entry(map, name)
            .orElseThrow(() -> new TemplateException("%: found no " + name + ", expected a value"));
      }
      throw Python.wrong("%", given, "a mapping");
    }
    if (used == values.size()) {
      throw new TemplateException("%: found " + used + " values, expected more");
    }
    return values.get(used++);
  }

  private static BigDecimal number(Object value) {
    if (!Numbers.isNumber(value)) {
      throw Python.wrong("%", value, "a number");
    }
    if (value instanceof Double real && !Double.isFinite(real)) {
      throw new TemplateException("%: found " + Text.number(real) + ", expected a finite number");
    }
    return value instanceof Double real ? new BigDecimal(real) : new BigDecimal(Numbers.big(value));
  }
}
