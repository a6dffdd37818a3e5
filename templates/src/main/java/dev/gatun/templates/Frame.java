package dev.gatun.templates;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The names of a scope, inside of another. What is set stays in the innermost.
final class Frame {
  private final @Nullable Frame outer;
  private final Map<String, Object> values = new HashMap<>();

  Frame(@Nullable Frame outer) {
    this.outer = outer;
  }

  void set(String name, Object value) {
    values.put(name, value);
  }

  Object get(String name) {
    for (Frame frame = this; frame != null; frame = frame.outer) {
      Object value = frame.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Undefined("`" + name + "`");
  }
}
