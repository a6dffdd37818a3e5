package dev.gatun.templates;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Jinja's filters of texts and numbers.
///
/// @param python rules of values
record TextFilters(Python python) {
  private static final Pattern WORD_BEGINNING =
      Pattern.compile("(?<=[-\\s({\\[<])(?![-\\s({\\[<])|(?<![-\\s({\\[<])(?=[-\\s({\\[<])");
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  Object apply(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "trim" ->
          StringMethods.strip(python.text(value), arguments.bind(name, 0, "chars"), true, true);
      case "upper" -> Text.upper(python.text(value));
      case "lower" -> Text.lower(python.text(value));
      case "capitalize" -> Text.capitalized(python.text(value));
      case "title" -> title(python.text(value));
      case "string" -> python.text(value);
      case "replace" -> replace(python.text(value), arguments);
      case "indent" -> indent(value, arguments);
      case "truncate" -> truncate(value, arguments);
      case "center" ->
          new StringMethods(python)
              .pad(
                  python.text(value),
                  name,
                  arguments.bind(name, 0, "width").number("width", 80),
                  " ");
      case "wordcount" -> WORD.matcher(python.text(value)).results().count();
      case "format" -> {
        Object given =
            arguments.named().isEmpty()
                ? new Tuple(arguments.positional())
                : new java.util.LinkedHashMap<Object, Object>(arguments.named());
        yield new PercentFormat(python, given).format(python.text(value));
      }
      case "int" -> integer(value, arguments);
      case "float" ->
          real(value)
              .map(number -> (Object) number)
              .orElseGet(() -> arguments.bind(name, 0, "default").get("default", 0.0));
      case "abs" -> abs(value);
      case "round" -> round(value, arguments);
      default -> throw new TemplateException("found filter " + name + ", expected another");
    };
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    for (String part : WORD_BEGINNING.splitAsStream(text).toList()) {
      out.append(Text.capitalized(part));
    }
    return out.toString();
  }

  private String replace(String text, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
    int most = bound.get("count") == None.NONE ? -1 : bound.number("count", -1);
    return new StringMethods(python)
        .replace(text, python.text(bound.get("old")), python.text(bound.get("new")), most);
  }

  private String indent(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("indent", 0, "width", "first", "blank");
    if (!(value instanceof String text)) {
      throw Python.wrong("indent", value, "a string");
    }
    String indent = indentation(bound);
    boolean blank = Python.truth(bound.get("blank", false));
    List<String> lines = Text.lines(text + "\n", false);
    python.budget().chars(text.length() + (long) lines.size() * indent.length());
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      boolean indented =
          i == 0 ? Python.truth(bound.get("first", false)) : blank || !lines.get(i).isEmpty();
      out.append(i == 0 ? "" : "\n").append(indented ? indent : "").append(lines.get(i));
    }
    return out.toString();
  }

  private String indentation(Arguments.Bound bound) {
    if (bound.get("width", 4L) instanceof String text) {
      return text;
    }
    int width = Math.max(0, bound.number("width", 4));
    python.budget().chars(width);
    return " ".repeat(width);
  }

  private String truncate(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
    if (!(value instanceof String text)) {
      throw Python.wrong("truncate", value, "a string");
    }
    String end = bound.text("end", "...");
    int length = bound.number("length", 255);
    int leeway = bound.get("leeway") == None.NONE ? 5 : bound.number("leeway", 5);
    int kept = length - end.codePointCount(0, end.length());
    if (kept < 0 || leeway < 0) {
      throw new TemplateException("truncate: found a length below the end's, expected more");
    }
    if (python.length(text) <= (long) length + leeway) {
      return text;
    }
    String cut = text.substring(0, text.offsetByCodePoints(0, kept));
    boolean inWords = Python.truth(bound.get("killwords", false));
    int space = cut.lastIndexOf(' ');
    return (inWords || space < 0 ? cut : cut.substring(0, space)) + end;
  }

  private Object integer(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("int", 0, "default", "base");
    if (value instanceof String text) {
      try {
        int base = Math.clamp(bound.number("base", 10), 2, 36);
        String digits = Text.strip(text).replaceAll("(?<=\\w)_(?=\\w)", "");
        String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : "";
        if (!prefix.isEmpty() && digits.regionMatches(true, 0, prefix, 0, 2)) {
          digits = digits.substring(2);
        }
        if (digits.length() <= 1000) {
          return Numbers.integer(new BigInteger(digits, base));
        }
      } catch (NumberFormatException e) {
        // then as a float
      }
    }
    if (Numbers.isInteger(value)) {
      return Numbers.integer(Numbers.big(value));
    }
    return real(value)
        .filter(Double::isFinite)
        .map(number -> Numbers.integer(new BigDecimal(number).toBigInteger()))
        .orElseGet(() -> bound.get("default", 0L));
  }

  private static Optional<Double> real(Object value) {
    if (Numbers.isNumber(value)) {
      return Optional.of(Numbers.real(value));
    }
    if (!(value instanceof String text)
        || !Text.strip(text).matches("[-+]?[0-9_.]+([eE][-+]?[0-9]+)?")) {
      return Optional.empty();
    }
    try {
      return Optional.of(Double.valueOf(Text.strip(text).replace("_", "")));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Object abs(Object value) {
    return switch (value) {
      case Double real -> Math.abs(real);
      case Object number when Numbers.isInteger(number) ->
          Numbers.integer(Numbers.big(number).abs());
      default -> throw Python.wrong("abs", value, "a number");
    };
  }

  private static Object round(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("round", 0, "precision", "method");
    if (!Numbers.isNumber(value)) {
      throw Python.wrong("round", value, "a number");
    }
    int precision = Math.clamp(bound.number("precision", 0), -400, 400);
    RoundingMode mode =
        switch (bound.text("method", "common")) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw Python.wrong("round", bound.get("method"), "common, ceil or floor");
        };
    if (value instanceof Double real && !Double.isFinite(real)) {
      return real;
    }
    boolean whole = Numbers.isInteger(value) && mode == RoundingMode.HALF_EVEN;
    BigDecimal exact =
        value instanceof Double real ? new BigDecimal(real) : new BigDecimal(Numbers.big(value));
    BigDecimal rounded = exact.setScale(precision, mode);
    return whole ? Numbers.integer(rounded.toBigInteger()) : (Object) rounded.doubleValue();
  }
}
