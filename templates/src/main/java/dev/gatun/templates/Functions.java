package dev.gatun.templates;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Jinja's functions.
///
/// @param python rules of values
record Functions(Python python) {
  /// Jinja's sandbox has this limit, too.
  private static final long MAX_RANGE = 100_000;

  Object range(Arguments arguments) {
    Arguments.Bound bound = arguments.bind("range", 1, "start", "stop", "step");
    long first = bound.has("stop") ? bound.number("start", 0) : 0;
    long end = bound.number(bound.has("stop") ? "stop" : "start", 0);
    long step = bound.number("step", 1);
    if (step == 0) {
      throw new TemplateException("range: found step 0, expected another");
    }
    long count = step > 0 ? (end - first + step - 1) / step : (first - end - step - 1) / -step;
    if (count > MAX_RANGE) {
      throw new TemplateException(
          "range: found %d numbers, expected at most %d".formatted(count, MAX_RANGE));
    }
    python.budget().steps(Math.max(0, count));
    List<Object> numbers = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      numbers.add(first + i * step);
    }
    return numbers;
  }

  Object dict(Arguments arguments) {
    Map<Object, Object> entries = new LinkedHashMap<>();
    Object first = arguments.onlyPositional("dict");
    if (first instanceof Map<?, ?> map) {
      map.forEach((key, value) -> Python.put(entries, key, value));
    } else {
      for (Object pair : python.items(first, "dict")) {
        List<Object> items = python.items(pair, "dict");
        if (items.size() != 2) {
          throw new TemplateException(
              "dict: found %d items, expected pairs".formatted(items.size()));
        }
        Python.put(entries, Python.key(items.get(0)), items.get(1));
      }
    }
    entries.putAll(arguments.named());
    return entries;
  }

  /// Returns what writes the separator each time but the first.
  Object joiner(Arguments arguments) {
    Object separator = arguments.bind("joiner", 0, "sep").get("sep", ", ");
    boolean[] used = {false};
    return (Callable)
        none -> {
          Object written = used[0] ? separator : "";
          used[0] = true;
          return written;
        };
  }

  Object namespace(Arguments arguments) {
    return new Namespace(Python.cast((Map<?, ?>) dict(arguments)));
  }
}
