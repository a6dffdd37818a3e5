package dev.gatun.templates;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Python's methods of strings.
final class StringMethods {
  private static final Set<String> NAMES =
      Set.of(
          "strip",
          "lstrip",
          "rstrip",
          "split",
          "rsplit",
          "splitlines",
          "startswith",
          "endswith",
          "replace",
          "upper",
          "lower",
          "casefold",
          "title",
          "capitalize",
          "swapcase",
          "join",
          "find",
          "rfind",
          "index",
          "rindex",
          "count",
          "isdigit",
          "isdecimal",
          "isnumeric",
          "isalpha",
          "isalnum",
          "isspace",
          "isupper",
          "islower",
          "removeprefix",
          "removesuffix",
          "zfill",
          "ljust",
          "rjust",
          "center",
          "partition",
          "rpartition",
          "format");

  private final Python python;

  StringMethods(Python python) {
    this.python = python;
  }

  @Nullable Callable method(String text, String name) {
    return NAMES.contains(name)
        ? arguments -> {
          python.budget().reads(text);
          Object result = call(text, name, arguments);
          python.budget().chars(made(text, result));
          return result;
        }
        : null;
  }

  private static int made(String text, Object result) {
    return switch (result) {
      case String made -> made.length();
      case List<?> parts -> text.length();
      default -> 0;
    };
  }

  private Object call(String text, String name, Arguments arguments) {
    return switch (name) {
      case "strip" -> strip(text, arguments, name, true, true);
      case "lstrip" -> strip(text, arguments, name, true, false);
      case "rstrip" -> strip(text, arguments, name, false, true);
      case "split", "rsplit" -> split(text, name, arguments);
      case "splitlines" ->
          new ArrayList<Object>(
              Text.lines(
                  text, Python.truth(arguments.bind(name, 0, "keepends").get("keepends", false))));
      case "startswith" -> edges(text, name, arguments, part -> part[0].startsWith(part[1]));
      case "endswith" -> edges(text, name, arguments, part -> part[0].endsWith(part[1]));
      case "replace" -> {
        Arguments.Bound bound = arguments.bind(name, 2, "old", "new", "count");
        yield replace(
            text, bound.text("old", ""), bound.text("new", ""), bound.number("count", -1));
      }
      case "join" -> join(text, python.items(arguments.bind(name, 1, "items").get("items"), name));
      case "find", "index", "rfind", "rindex" -> find(text, name, arguments);
      case "count" -> count(text, arguments.bind(name, 1, "part").text("part", ""));
      case "removeprefix" -> {
        String prefix = arguments.bind(name, 1, "prefix").text("prefix", "");
        yield text.startsWith(prefix) ? text.substring(prefix.length()) : text;
      }
      case "removesuffix" -> {
        String suffix = arguments.bind(name, 1, "suffix").text("suffix", "");
        yield text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
      }
      case "zfill", "ljust", "rjust", "center" -> pad(text, name, arguments);
      case "partition", "rpartition" -> partition(text, name, arguments);
      case "format" -> new BraceFormat(python, arguments).format(text);
      default -> {
        arguments.bind(name, 0);
        yield plain(text, name);
      }
    };
  }

  private static Object plain(String text, String name) {
    return switch (name) {
      case "upper" -> Text.upper(text);
      case "lower", "casefold" -> Text.lower(text);
      case "title" -> title(text);
      case "capitalize" -> Text.capitalized(text);
      case "swapcase" -> swapped(text);
      case "isdigit", "isdecimal", "isnumeric" -> all(text, Character::isDigit);
      case "isalpha" -> all(text, Character::isLetter);
      case "isalnum" -> all(text, Character::isLetterOrDigit);
      case "isspace" -> all(text, Text::isSpace);
      case "isupper" -> isCase(text, Character::isUpperCase, Character::isLowerCase);
      case "islower" -> isCase(text, Character::isLowerCase, Character::isUpperCase);
      default -> throw new IllegalStateException(name);
    };
  }

  static boolean isCase(String text, IntPredicate wanted, IntPredicate other) {
    return text.codePoints().anyMatch(wanted)
        && text.codePoints().noneMatch(c -> other.test(c) || Character.isTitleCase(c));
  }

  private static boolean all(String text, IntPredicate test) {
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean[] inWord = {false};
    text.codePoints()
        .forEach(c -> {
          String one = Character.toString(c);
          out.append(inWord[0] ? Text.lower(one) : Character.toString(Character.toTitleCase(c)));
          inWord[0] =
              Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
        });
    return out.toString();
  }

  private static String swapped(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          String one = Character.toString(c);
          out.append(Character.isUpperCase(c) ? Text.lower(one) : Text.upper(one));
        });
    return out.toString();
  }

  private static String strip(
      String text, Arguments arguments, String name, boolean start, boolean end) {
    Arguments.Bound bound = arguments.bind(name, 0, "chars");
    return strip(text, bound, start, end);
  }

  static String strip(String text, Arguments.Bound bound, boolean start, boolean end) {
    if (bound.get("chars") == None.NONE) {
      String front = start ? Text.stripStart(text) : text;
      return end ? Text.stripEnd(front) : front;
    }
    return Text.strip(text, bound.text("chars", ""), start, end);
  }

  private Object split(String text, String name, Arguments arguments) {
    Arguments.Bound bound = arguments.bind(name, 0, "sep", "maxsplit");
    int most = bound.number("maxsplit", -1);
    boolean fromEnd = name.equals("rsplit");
    List<Object> parts;
    if (bound.get("sep") == None.NONE) {
      parts = fromEnd ? wordsFromEnd(text, most) : words(text, most);
    } else {
      String separator = bound.text("sep", "");
      python.budget().searches(text, separator);
      if (separator.isEmpty()) {
        throw new TemplateException(name + ": found an empty separator, expected a longer one");
      }
      parts = fromEnd ? splitFromEnd(text, separator, most) : split(text, separator, most);
    }
    python.budget().steps(parts.size());
    return parts;
  }

  private static List<Object> split(String text, String separator, int most) {
    List<Object> parts = new ArrayList<>();
    int from = 0;
    for (int i = text.indexOf(separator);
        i >= 0 && (most < 0 || parts.size() < most);
        i = text.indexOf(separator, from)) {
      parts.add(text.substring(from, i));
      from = i + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> splitFromEnd(String text, String separator, int most) {
    List<Object> parts = new ArrayList<>();
    String rest = text;
    for (int i = rest.lastIndexOf(separator);
        i >= 0 && (most < 0 || parts.size() < most);
        i = rest.lastIndexOf(separator)) {
      parts.addFirst(rest.substring(i + separator.length()));
      rest = rest.substring(0, i);
    }
    parts.addFirst(rest);
    return parts;
  }

  private static List<Object> words(String text, int most) {
    List<Object> words = new ArrayList<>();
    String rest = Text.stripStart(text);
    while (!rest.isEmpty() && (most < 0 || words.size() < most)) {
      int end = 0;
      while (end < rest.length() && !Text.isSpace(rest.charAt(end))) {
        end++;
      }
      words.add(rest.substring(0, end));
      rest = Text.stripStart(rest.substring(end));
    }
    if (!rest.isEmpty()) {
      words.add(rest);
    }
    return words;
  }

  private static List<Object> wordsFromEnd(String text, int most) {
    List<Object> words = new ArrayList<>();
    String rest = Text.stripEnd(text);
    while (!rest.isEmpty() && (most < 0 || words.size() < most)) {
      int begin = rest.length();
      while (begin > 0 && !Text.isSpace(rest.charAt(begin - 1))) {
        begin--;
      }
      words.addFirst(rest.substring(begin));
      rest = Text.stripEnd(rest.substring(0, begin));
    }
    if (!rest.isEmpty()) {
      words.addFirst(rest);
    }
    return words;
  }

  private Object edges(String text, String name, Arguments arguments, Predicate<String[]> matches) {
    Arguments.Bound bound = arguments.bind(name, 1, "part", "start", "end");
    Object stretch =
        bound.has("start") || bound.has("end")
            ? python.slice(text, bound.get("start"), bound.get("end"), None.NONE)
            : text;
    Object part = bound.get("part");
    List<Object> parts = part instanceof Tuple tuple ? tuple : List.of(bound.text("part", ""));
    return parts.stream()
        .anyMatch(each -> {
          if (!(each instanceof String prefix)) {
            throw Python.wrong(name, each, "a string");
          }
          return matches.test(new String[] {(String) stretch, prefix});
        });
  }

  String replace(String text, String old, String with, int most) {
    python.budget().searches(text, old);
    StringBuilder out = new StringBuilder();
    int from = 0;
    int done = 0;
    int at = text.indexOf(old);
    while (at >= 0 && (most < 0 || done < most)) {
      python.budget().chars(at - from + with.length());
      out.append(text, from, at).append(with);
      from = at + old.length();
      done++;
      if (old.isEmpty()) {
        if (at == text.length()) {
          break;
        }
        int next = text.offsetByCodePoints(at, 1);
        out.append(text, at, next);
        from = next;
        at = next;
      } else {
        at = text.indexOf(old, from);
      }
    }
    return out.append(text.substring(from)).toString();
  }

  /// Joins strings; anything else is an error.
  String join(String separator, List<Object> items) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      if (!(items.get(i) instanceof String item)) {
        throw Python.wrong("join", items.get(i), "strings");
      }
      python.budget().chars((long) separator.length() + item.length());
      out.append(i == 0 ? "" : separator).append(item);
    }
    return out.toString();
  }

  private Object find(String text, String name, Arguments arguments) {
    String part = arguments.bind(name, 1, "part").text("part", "");
    python.budget().searches(text, part);
    int at = name.startsWith("r") ? text.lastIndexOf(part) : text.indexOf(part);
    if (at < 0 && name.endsWith("index")) {
      throw new TemplateException(name + ": found no such part, expected one");
    }
    return at < 0 ? -1L : (long) text.codePointCount(0, at);
  }

  private Object count(String text, String part) {
    python.budget().searches(text, part);
    if (part.isEmpty()) {
      return text.codePointCount(0, text.length()) + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private Object pad(String text, String name, Arguments arguments) {
    Arguments.Bound bound = arguments.bind(name, 1, "width", "fill");
    String fill = name.equals("zfill") ? "0" : bound.text("fill", " ");
    return pad(text, name, bound.number("width", 0), fill);
  }

  String pad(String text, String name, int width, String fill) {
    int missing = Math.max(0, width - text.codePointCount(0, text.length()));
    python.budget().chars((long) missing * fill.length());
    return switch (name) {
      case "ljust" -> text + fill.repeat(missing);
      case "center" -> {
        int left = missing / 2 + (missing & width & 1);
        yield fill.repeat(left) + text + fill.repeat(missing - left);
      }
      case "zfill" -> {
        boolean signed = text.startsWith("-") || text.startsWith("+");
        yield signed
            ? text.substring(0, 1) + fill.repeat(missing) + text.substring(1)
            : fill.repeat(missing) + text;
      }
      default -> fill.repeat(missing) + text;
    };
  }

  private Object partition(String text, String name, Arguments arguments) {
    String separator = arguments.bind(name, 1, "sep").text("sep", "");
    python.budget().searches(text, separator);
    boolean fromEnd = name.equals("rpartition");
    int at = fromEnd ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) {
      return new Tuple(fromEnd ? List.of("", "", text) : List.of(text, "", ""));
    }
    return new Tuple(
        List.of(text.substring(0, at), separator, text.substring(at + separator.length())));
  }
}
