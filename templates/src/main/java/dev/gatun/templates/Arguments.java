package dev.gatun.templates;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The arguments of a call.
///
/// @param positional those without a name
/// @param named those with one
record Arguments(List<Object> positional, Map<String, Object> named) {
  /// Gives each argument its parameter's name.
  ///
  /// @param function for messages
  /// @param required how many of the parameters must be given
  /// @param parameters names in order
  Bound bind(String function, int required, String... parameters) {
    Map<String, Object> bound = new LinkedHashMap<>();
    if (positional.size() > parameters.length) {
      throw new TemplateException(
          "%s: found %d arguments, expected at most %d"
              .formatted(function, positional.size(), parameters.length));
    }
    for (int i = 0; i < positional.size(); i++) {
      bound.put(parameters[i], positional.get(i));
    }
    List<String> known = List.of(parameters);
    named.forEach((name, value) -> {
      if (!known.contains(name) || bound.put(name, value) != null) {
        throw new TemplateException(
            "%s: found argument %s, expected each of %s once".formatted(function, name, known));
      }
    });
    for (String name : known.subList(0, required)) {
      if (!bound.containsKey(name)) {
        throw new TemplateException("%s: found no %s, expected one".formatted(function, name));
      }
    }
    return new Bound(function, bound);
  }

  /// Returns the one argument without a name, or an empty list.
  Object onlyPositional(String function) {
    if (positional.size() > 1) {
      throw new TemplateException(
          "%s: found %d arguments, expected at most one".formatted(function, positional.size()));
    }
    return positional.isEmpty() ? List.of() : positional.getFirst();
  }

  /// Returns the arguments behind the first.
  Arguments rest() {
    return new Arguments(positional.subList(1, positional.size()), named);
  }

  /// Arguments by their parameters' names.
  ///
  /// @param function for messages
  /// @param values what was given
  record Bound(String function, Map<String, Object> values) {
    boolean has(String name) {
      return values.containsKey(name);
    }

    Object get(String name, Object otherwise) {
      Object value = values.get(name);
      return value == null ? otherwise : value;
    }

    Object get(String name) {
      return get(name, None.NONE);
    }

    String text(String name, String otherwise) {
      if (get(name, otherwise) instanceof String text) {
        return text;
      }
      throw wrong(name, "a string");
    }

    int number(String name, int otherwise) {
      Object value = get(name, (long) otherwise);
      if (value instanceof Boolean flag) {
        return flag ? 1 : 0;
      }
      if (value instanceof Long number && number == number.intValue()) {
        return number.intValue();
      }
      throw wrong(name, "a small integer");
    }

    private TemplateException wrong(String name, String expected) {
      return new TemplateException(
          "%s: %s: found %s, expected %s"
              .formatted(function, name, Python.kind(get(name)), expected));
    }
  }
}
