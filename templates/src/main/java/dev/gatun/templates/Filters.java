package dev.gatun.templates;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Jinja's filters; those of texts and numbers are [TextFilters]. Source: `jinja2.filters` 3.1.
///
/// @param python rules of values
record Filters(Python python) {
  static final Set<String> NAMES =
      new TreeSet<>(
          Set.of(
              "abs",
              "batch",
              "capitalize",
              "center",
              "count",
              "d",
              "default",
              "dictsort",
              "first",
              "float",
              "format",
              "groupby",
              "indent",
              "int",
              "items",
              "join",
              "last",
              "length",
              "list",
              "lower",
              "map",
              "max",
              "min",
              "reject",
              "rejectattr",
              "replace",
              "reverse",
              "round",
              "safe",
              "select",
              "selectattr",
              "slice",
              "sort",
              "string",
              "sum",
              "title",
              "tojson",
              "trim",
              "truncate",
              "unique",
              "upper",
              "wordcount"));

  Object apply(String name, Object value, Arguments arguments) {
    if (!(value instanceof String text)) {
      return applied(name, value, arguments);
    }
    python.budget().reads(text);
    Object result = applied(name, value, arguments);
    python.budget().chars(result instanceof String made ? made.length() : 0);
    return result;
  }

  private Object applied(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "default", "d" -> orDefault(value, arguments);
      case "first" -> first(items(value, name));
      case "last" -> first(items(value, name).reversed());
      case "length", "count" -> (long) python.length(value);
      case "list" -> new ArrayList<>(items(value, name));
      case "items" -> new Generated(entries(value));
      case "reverse" ->
          value instanceof String text
              ? new StringBuilder(text).reverse().toString()
              : new Generated(new ArrayList<>(items(value, name).reversed()));
      case "join" -> join(value, arguments);
      case "map" -> new Generated(map(value, arguments));
      case "select", "reject" -> select(value, arguments, name, false);
      case "selectattr", "rejectattr" -> select(value, arguments, name, true);
      case "sort" -> sort(value, arguments);
      case "unique" -> new Generated(unique(value, arguments));
      case "min", "max" -> extreme(value, arguments, name);
      case "sum" -> sum(value, arguments);
      case "dictsort" -> sortedEntries(value, arguments);
      case "groupby" -> groups(value, arguments);
      case "batch" -> new Generated(batches(value, arguments));
      case "slice" -> new Generated(slices(value, arguments));
      case "tojson" -> new JsonText(python, arguments).write(value);
      case "safe" -> value;
      default -> new TextFilters(python).apply(name, value, arguments);
    };
  }

  private List<Object> items(Object value, String name) {
    return python.items(value, name);
  }

  private static Object orDefault(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("default", 0, "default_value", "boolean");
    boolean missing =
        value instanceof Undefined
            || (Python.truth(bound.get("boolean", false)) && !Python.truth(value));
    return missing ? bound.get("default_value", "") : value;
  }

  private static Object first(List<Object> items) {
    return items.isEmpty() ? new Undefined("an item of an empty list") : items.getFirst();
  }

  private static List<Object> entries(Object value) {
    return switch (value) {
      case Undefined undefined -> List.of();
      case Map<?, ?> map -> Methods.entries(Python.cast(map));
      default -> throw Python.wrong("items", value, "a mapping");
    };
  }

  private Object join(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("join", 0, "d", "attribute");
    Function<Object, Object> getter = getter(bound, null);
    List<Object> texts = new ArrayList<>();
    for (Object item : items(value, "join")) {
      texts.add(python.text(getter.apply(item)));
    }
    return new StringMethods(python).join(python.text(bound.get("d", "")), texts);
  }

  /// Returns what reads the attribute `a.b` of an item; without one, the item itself.
  private Function<Object, Object> getter(Arguments.Bound bound, @Nullable Object otherwise) {
    Object attribute = bound.get("attribute");
    return attribute == None.NONE ? item -> item : getter(attribute, otherwise);
  }

  private Function<Object, Object> getter(Object attribute, @Nullable Object otherwise) {
    List<Object> keys = new ArrayList<>();
    if (attribute instanceof String path) {
      for (String key : path.split("[.]", -1)) {
        keys.add(
            !key.isEmpty() && key.length() < 10 && key.chars().allMatch(c -> c >= '0' && c <= '9')
                ? (Object) Long.valueOf(key)
                : key);
      }
    } else {
      keys.add(attribute);
    }
    return item -> {
      Object value = item;
      for (Object key : keys) {
        value = python.item(value, key);
        if (value instanceof Undefined && otherwise != null) {
          value = otherwise;
        }
      }
      return value;
    };
  }

  private List<Object> map(Object value, Arguments arguments) {
    Function<Object, Object> change;
    if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
      Arguments.Bound bound = arguments.bind("map", 0, "attribute", "default");
      change = getter(bound, bound.has("default") ? bound.get("default") : null);
    } else {
      String filter = named(arguments, "map", NAMES);
      change = item -> apply(filter, item, arguments.rest());
    }
    List<Object> mapped = new ArrayList<>();
    for (Object item : items(value, "map")) {
      mapped.add(change.apply(item));
    }
    return mapped;
  }

  private static String named(Arguments arguments, String what, Set<String> names) {
    if (!arguments.positional().isEmpty()
        && arguments.positional().getFirst() instanceof String name
        && names.contains(name)) {
      return name;
    }
    throw new TemplateException(
        what + ": found " + arguments.positional() + ", expected a name of " + names);
  }

  private Object select(Object value, Arguments given, String name, boolean byAttribute) {
    Function<Object, Object> getter = item -> item;
    Arguments arguments = given;
    if (byAttribute) {
      if (given.positional().isEmpty()) {
        throw new TemplateException(name + ": found no attribute, expected one");
      }
      getter = getter(given.positional().getFirst(), null);
      arguments = given.rest();
    }
    boolean wanted = name.startsWith("select");
    Tests tests = new Tests(python);
    String test = arguments.positional().isEmpty() ? null : named(arguments, name, Tests.NAMES);
    List<Object> selected = new ArrayList<>();
    for (Object item : items(value, name)) {
      Object subject = getter.apply(item);
      boolean holds =
          test == null ? Python.truth(subject) : tests.holds(test, subject, arguments.rest());
      if (holds == wanted) {
        selected.add(item);
      }
    }
    return new Generated(selected);
  }

  private static Object folded(Object value, Arguments.Bound bound) {
    boolean asWritten = Python.truth(bound.get("case_sensitive", false));
    return value instanceof String text && !asWritten ? Text.lower(text) : value;
  }

  private List<Object> sort(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
    List<Function<Object, Object>> getters = new ArrayList<>();
    if (bound.get("attribute") instanceof String paths) {
      for (String path : paths.split(",", -1)) {
        getters.add(getter(path, null));
      }
    } else {
      getters.add(getter(bound, null));
    }
    Comparator<Object> order =
        (a, b) -> {
          int difference = 0;
          for (Function<Object, Object> getter : getters) {
            if (difference == 0) {
              difference =
                  python.compare(folded(getter.apply(a), bound), folded(getter.apply(b), bound));
            }
          }
          return difference;
        };
    return sorted(items(value, "sort"), order, bound);
  }

  private static List<Object> sorted(
      List<Object> items, Comparator<Object> order, Arguments.Bound bound) {
    List<Object> sorted = new ArrayList<>(items);
    sorted.sort(Python.truth(bound.get("reverse", false)) ? order.reversed() : order);
    return sorted;
  }

  private List<Object> unique(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("unique", 0, "case_sensitive", "attribute");
    Function<Object, Object> getter = getter(bound, null);
    List<Object> seen = new ArrayList<>();
    List<Object> unique = new ArrayList<>();
    for (Object item : items(value, "unique")) {
      Object key = folded(getter.apply(item), bound);
      if (!python.contains(seen, key)) {
        seen.add(key);
        unique.add(item);
      }
    }
    return unique;
  }

  private Object extreme(Object value, Arguments arguments, String name) {
    Arguments.Bound bound = arguments.bind(name, 0, "case_sensitive", "attribute");
    Function<Object, Object> getter = getter(bound, null);
    Object best = new Undefined("an item of an empty list");
    for (Object item : items(value, name)) {
      if (best instanceof Undefined) {
        best = item;
        continue;
      }
      int order =
          python.compare(folded(getter.apply(item), bound), folded(getter.apply(best), bound));
      best = (name.equals("max") ? order > 0 : order < 0) ? item : best;
    }
    return best;
  }

  private Object sum(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("sum", 0, "attribute", "start");
    Function<Object, Object> getter = getter(bound, null);
    Object sum = bound.get("start", 0L);
    for (Object item : items(value, "sum")) {
      sum = python.compute("+", sum, getter.apply(item));
    }
    return sum;
  }

  private Object sortedEntries(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    int place =
        switch (bound.text("by", "key")) {
          case "key" -> 0;
          case "value" -> 1;
          default -> throw Python.wrong("dictsort", bound.get("by"), "key or value");
        };
    Comparator<Object> order =
        (a, b) ->
            python.compare(
                folded(((Tuple) a).get(place), bound), folded(((Tuple) b).get(place), bound));
    return sorted(entries(value), order, bound);
  }

  private Object groups(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("groupby", 1, "attribute", "default", "case_sensitive");
    Function<Object, Object> getter =
        getter(bound, bound.has("default") ? bound.get("default") : null);
    Function<Object, Object> key = item -> folded(getter.apply(item), bound);
    List<Object> sorted = new ArrayList<>(items(value, "groupby"));
    sorted.sort((a, b) -> python.compare(key.apply(a), key.apply(b)));
    List<Object> groups = new ArrayList<>();
    for (int from = 0; from < sorted.size(); ) {
      int to = from + 1;
      while (to < sorted.size()
          && python.equal(key.apply(sorted.get(from)), key.apply(sorted.get(to)))) {
        to++;
      }
      List<Object> group = new ArrayList<>(sorted.subList(from, to));
      groups.add(new Tuple(List.of(getter.apply(group.getFirst()), group)));
      from = to;
    }
    return groups;
  }

  private List<Object> batches(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("batch", 1, "linecount", "fill_with");
    int size = positive(bound, "linecount");
    List<Object> items = items(value, "batch");
    List<Object> batches = new ArrayList<>();
    for (int from = 0; from < items.size(); from += size) {
      List<Object> batch =
          new ArrayList<>(items.subList(from, (int) Math.min((long) from + size, items.size())));
      fill(batch, size - batch.size(), bound);
      batches.add(batch);
      if (items.size() - from <= size) {
        break;
      }
    }
    return batches;
  }

  private List<Object> slices(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("slice", 1, "slices", "fill_with");
    int count = positive(bound, "slices");
    python.budget().steps(count);
    List<Object> items = items(value, "slice");
    int longer = items.size() % count;
    List<Object> slices = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < count; i++) {
      int to = from + items.size() / count + (i < longer ? 1 : 0);
      List<Object> slice = new ArrayList<>(items.subList(from, to));
      fill(slice, i < longer ? 0 : 1, bound);
      slices.add(slice);
      from = to;
    }
    return slices;
  }

  private static int positive(Arguments.Bound bound, String name) {
    int number = bound.number(name, 0);
    if (number < 1) {
      throw new TemplateException(name + ": found " + number + ", expected at least 1");
    }
    return number;
  }

  private void fill(List<Object> items, int missing, Arguments.Bound bound) {
    if (bound.get("fill_with") != None.NONE) {
      python.budget().steps(missing);
      for (int i = 0; i < missing; i++) {
        items.add(bound.get("fill_with"));
      }
    }
  }
}
