package dev.gatun.templates;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The methods of lists and dicts that change nothing.
final class Methods {
  private Methods() {}

  static @Nullable Callable method(Python python, Map<Object, Object> map, String name) {
    return switch (name) {
      case "items" -> arguments -> entries(map);
      case "keys" -> arguments -> new ArrayList<>(map.keySet());
      case "values" -> arguments -> new ArrayList<>(map.values());
      case "copy" -> arguments -> map;
      case "get" ->
          arguments -> {
            Arguments.Bound bound = arguments.bind("get", 1, "key", "default");
            return Python.entry(map, Python.key(bound.get("key"))).orElse(bound.get("default"));
          };
      default -> null;
    };
  }

  static List<Object> entries(Map<Object, Object> map) {
    List<Object> entries = new ArrayList<>();
    map.forEach((key, value) -> entries.add(new Tuple(List.of(key, value))));
    return entries;
  }

  static @Nullable Callable method(Python python, List<Object> list, String name) {
    return switch (name) {
      case "copy" -> arguments -> list;
      case "count" ->
          arguments -> {
            Object wanted = arguments.bind("count", 1, "value").get("value");
            return list.stream().filter(item -> python.equal(item, wanted)).count();
          };
      case "index" ->
          arguments -> {
            Object wanted = arguments.bind("index", 1, "value").get("value");
            for (int i = 0; i < list.size(); i++) {
              if (python.equal(list.get(i), wanted)) {
                return (long) i;
              }
            }
            throw new TemplateException("index: found no such item, expected one");
          };
      default -> null;
    };
  }
}
