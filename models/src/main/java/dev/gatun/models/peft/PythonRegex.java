package dev.gatun.models.peft;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// A regular expression of Python's `re`, which adapter files hold, run by Java's engine.
///
/// Expressions come from strangers: their length and nesting, and the steps of a match, are
/// bounded. Thread-safe.
final class PythonRegex {
  private static final int MAX_LENGTH = 20_000;
  private static final int MAX_DEPTH = 50;
  private static final int MAX_STEPS = 1_000_000;

  // Escapes that mean the same to both.
  private static final String SAME_ESCAPES = "AbBdDsSwWafnrtxu";
  private static final Pattern QUANTIFIER = Pattern.compile("\\{([0-9]*)(?:(,)([0-9]*))?}");

  private final String source;
  private final Pattern pattern;

  private PythonRegex(String source, Pattern pattern) {
    this.source = source;
    this.pattern = pattern;
  }

  /// Translates an expression.
  ///
  /// @throws InvalidSettingException if it is not valid, too large, or uses what Java lacks
  static PythonRegex compile(String source) {
    if (source.length() > MAX_LENGTH) {
      throw new InvalidSettingException(
          "regular expression", source.length() + " characters", "at most " + MAX_LENGTH);
    }
    try {
      int flags = Pattern.UNIX_LINES | Pattern.UNICODE_CASE | Pattern.UNICODE_CHARACTER_CLASS;
      return new PythonRegex(source, Pattern.compile(new Translation(source).translate(), flags));
    } catch (PatternSyntaxException e) {
      throw invalid(source, e.getDescription());
    }
  }

  /// Python's `re.fullmatch`.
  boolean matches(String text) {
    return matcher(text).matches();
  }

  /// Python's `re.match`: anchored at the start only. The caller asks the matcher.
  Matcher matcher(String text) {
    return pattern.matcher(new Bounded(source, text));
  }

  private static InvalidSettingException invalid(String source, String found) {
    return new InvalidSettingException(
        "regular expression '" + source + "'", found, "Python's syntax");
  }

  /// Counts what the engine reads, so that no expression can hang it.
  private static final class Bounded implements CharSequence {
    private final String source;
    private final String text;
    private int left = MAX_STEPS;

    Bounded(String source, String text) {
      this.source = source;
      this.text = text;
    }

    @Override
    public char charAt(int index) {
      if (--left < 0) {
        throw new InvalidSettingException(
            "regular expression '" + source + "'",
            "more than " + MAX_STEPS + " steps on '" + text + "'",
            "fewer");
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private static final class Translation {
    private final String in;
    private final StringBuilder out = new StringBuilder();
    private final Map<String, String> groups = new HashMap<>();
    private int at;
    private int depth;

    Translation(String in) {
      this.in = in;
    }

    String translate() {
      while (at < in.length()) {
        char c = in.charAt(at);
        switch (c) {
          case '\\' -> escape(false);
          case '[' -> characterClass();
          case '(' -> group();
          case '{' -> brace();
          case '}' -> literal(c);
          default -> {
            if (c == ')') {
              depth--;
            }
            out.append(c);
            at++;
          }
        }
      }
      return out.toString();
    }

    private void literal(char c) {
      out.append('\\').append(c);
      at++;
    }

    private void escape(boolean inClass) {
      if (at + 1 == in.length()) {
        throw invalid(in, "a backslash at the end");
      }
      char c = in.charAt(at + 1);
      at += 2;
      if (inClass && c == 'b') {
        out.append("\\x08");
      } else if (c == 'Z' && !inClass) {
        out.append("\\z");
      } else if (c == 'v') {
        out.append("\\x0B");
      } else if (SAME_ESCAPES.indexOf(c) >= 0 && !(inClass && "AB".indexOf(c) >= 0)) {
        out.append('\\').append(c);
      } else if (c >= '1' && c <= '9' && !inClass) {
        out.append('\\').append(c);
      } else if (Character.isLetterOrDigit(c)) {
        throw invalid(in, "the escape \\" + c);
      } else {
        out.append('\\').append(c);
      }
    }

    // Java nests classes and intersects them with &&; Python does neither.
    private void characterClass() {
      out.append('[');
      at++;
      if (in.startsWith("^", at)) {
        out.append('^');
        at++;
      }
      boolean first = true;
      while (at < in.length() && (first || in.charAt(at) != ']')) {
        first = false;
        char c = in.charAt(at);
        switch (c) {
          case '\\' -> escape(true);
          case '[', ']', '&', '^' -> literal(c);
          default -> {
            out.append(c);
            at++;
          }
        }
      }
      if (at == in.length()) {
        throw invalid(in, "a character class without end");
      }
      out.append(']');
      at++;
    }

    private void group() {
      if (++depth > MAX_DEPTH) {
        throw invalid(in, "more than " + MAX_DEPTH + " nested groups");
      }
      if (!in.startsWith("(?", at)) {
        out.append('(');
        at++;
        return;
      }
      String rest = in.substring(at + 2);
      if (rest.startsWith("P<")) {
        int end = in.indexOf('>', at);
        String name = end < 0 ? "" : in.substring(at + 4, end);
        if (name.isEmpty() || groups.putIfAbsent(name, "g" + groups.size()) != null) {
          throw invalid(in, "a bad group name");
        }
        out.append("(?<").append(groups.get(name)).append('>');
        at = end + 1;
      } else if (rest.startsWith("P=")) {
        int end = in.indexOf(')', at);
        String name = groups.get(end < 0 ? "" : in.substring(at + 4, end));
        if (name == null) {
          throw invalid(in, "a reference to no group");
        }
        out.append("\\k<").append(name).append('>');
        at = end + 1;
        depth--;
      } else if (rest.startsWith("#")) {
        int end = in.indexOf(')', at);
        if (end < 0) {
          throw invalid(in, "a comment without end");
        }
        at = end + 1;
        depth--;
      } else if (rest.startsWith("<=") || rest.startsWith("<!")) {
        out.append("(?").append(rest, 0, 2);
        at += 4;
      } else if (!rest.isEmpty() && ":=!>".indexOf(rest.charAt(0)) >= 0) {
        out.append("(?").append(rest.charAt(0));
        at += 3;
      } else {
        flags(rest);
      }
    }

    private void flags(String rest) {
      int end = 0;
      while (end < rest.length() && "imsu-".indexOf(rest.charAt(end)) >= 0) {
        end++;
      }
      boolean scoped = rest.startsWith(":", end);
      boolean global = rest.startsWith(")", end) && at == 0;
      if (end == 0 || !(scoped || global)) {
        throw invalid(in, "an extension (?" + rest.substring(0, Math.min(8, rest.length())));
      }
      out.append("(?").append(rest, 0, end);
      at += 2 + end;
    }

    private void brace() {
      Matcher quantifier = QUANTIFIER.matcher(in).region(at, in.length());
      boolean found = quantifier.lookingAt();
      String low = found ? quantifier.group(1) : "";
      if (!found || (low.isEmpty() && quantifier.group(2) == null)) {
        literal('{');
        return;
      }
      out.append('{').append(low.isEmpty() ? "0" : low);
      if (quantifier.group(2) != null) {
        out.append(',').append(quantifier.group(3));
      }
      out.append('}');
      at = quantifier.end();
    }
  }
}
