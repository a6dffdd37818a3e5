package dev.gatun.templates;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes JSON as Python's `json.dumps` does, which transformers puts in the place of Jinja's own
/// `tojson`.
final class JsonText {
  private final Python python;
  private final boolean ascii;
  private final boolean sorted;
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final StringBuilder out = new StringBuilder();

  JsonText(Python python, Arguments arguments) {
    Arguments.Bound bound =
        arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
    this.python = python;
    this.ascii = Python.truth(bound.get("ensure_ascii", false));
    this.sorted = Python.truth(bound.get("sort_keys", false));
    this.indent = indent(bound);
    if (bound.get("separators") instanceof List<?> pair
        && pair.size() == 2
        && pair.get(0) instanceof String item
        && pair.get(1) instanceof String key) {
      itemSeparator = item;
      keySeparator = key;
    } else {
      itemSeparator = indent == null ? ", " : ",";
      keySeparator = ": ";
    }
  }

  private static @Nullable String indent(Arguments.Bound bound) {
    Object given = bound.get("indent");
    if (given == None.NONE) {
      return null;
    }
    return given instanceof String text
        ? text
        : " ".repeat(Math.clamp(bound.number("indent", 0), 0, 1000));
  }

  String write(Object value) {
    write(value, 0);
    return out.toString();
  }

  private void write(Object value, int level) {
    python.budget().step();
    python.budget().enter();
    switch (value) {
      case None none -> append("null");
      case Boolean flag -> append(flag.toString());
      case Long number -> append(number.toString());
      case BigInteger number -> append(number.toString());
      case Double number -> append(number(number));
      case String text -> quote(text);
      case List<?> list -> list(list, level + 1);
      case Map<?, ?> map -> map(Python.cast(map), level + 1);
      default -> throw Python.wrong("tojson", value, "a value that JSON has");
    }
    python.budget().leave();
  }

  private static String number(double value) {
    if (Double.isFinite(value)) {
      return Text.number(value);
    }
    return Double.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }

  private void list(List<?> list, int level) {
    append("[");
    for (int i = 0; i < list.size(); i++) {
      append(i == 0 ? "" : itemSeparator);
      newLine(level);
      write(list.get(i), level);
    }
    close("]", list.isEmpty(), level);
  }

  private void map(Map<Object, Object> map, int level) {
    append("{");
    List<Object> keys = new ArrayList<>(map.keySet());
    if (sorted) {
      keys.sort(python::compare);
    }
    String separator = "";
    for (Object key : keys) {
      append(separator);
      newLine(level);
      switch (key) {
        case String text -> quote(text);
        case None none -> append("\"null\"");
        case Boolean flag -> append("\"" + flag + "\"");
        default -> append("\"" + python.text(key) + "\"");
      }
      append(keySeparator);
      write(Python.entry(map, key).orElseThrow(), level);
      separator = itemSeparator;
    }
    close("}", map.isEmpty(), level);
  }

  private void close(String bracket, boolean empty, int level) {
    if (!empty) {
      newLine(level - 1);
    }
    append(bracket);
  }

  private void newLine(int level) {
    if (indent != null) {
      append("\n");
      python.budget().chars((long) indent.length() * level);
      out.repeat(indent, level);
    }
  }

  private void append(String text) {
    python.budget().chars(text.length());
    out.append(text);
  }

  private void quote(String text) {
    python.budget().chars(text.length() + 2L);
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int escape = "\"\\\n\r\t\b\f".indexOf(c);
      if (escape >= 0) {
        out.append('\\').append("\"\\nrtbf".charAt(escape));
      } else if (c < 0x20 || (ascii && c > 0x7e)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
