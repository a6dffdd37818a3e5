package dev.gatun.templates;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Python's rules for the values of one rendering: truth, text, equality, order, items.
///
/// | Python | here |
/// |---|---|
/// | `None`, `bool`, `float`, `str` | [None], [Boolean], [Double], [String] |
/// | `int` | [Long], or [java.math.BigInteger] beyond it |
/// | `list`, `tuple`, `dict` | [List], [Tuple], [Map] |
/// | generator, function, namespace | [Generated], [Callable], [Namespace] |
final class Python {
  private final Budget budget;

  Python(Budget budget) {
    this.budget = budget;
  }

  Budget budget() {
    return budget;
  }

  /// Says what a value is, for messages.
  static String kind(Object value) {
    return switch (value) {
      case None none -> "none";
      case Undefined undefined -> undefined.name() + " undefined";
      case Boolean flag -> flag ? "true" : "false";
      case String text -> "a string";
      case Double number -> "a float";
      case Tuple tuple -> "a tuple";
      case List<?> list -> "a list";
      case Map<?, ?> map -> "a mapping";
      case Generated generated -> "a generator";
      case Namespace namespace -> "a namespace";
      case Callable callable -> "a function";
      case LoopState loop -> "a loop";
      default -> "an integer";
    };
  }

  static TemplateException wrong(String what, Object found, String expected) {
    return found instanceof Undefined undefined
        ? undefined.failure()
        : new TemplateException(what + ": found " + kind(found) + ", expected " + expected);
  }

  static boolean truth(Object value) {
    return switch (value) {
      case None none -> false;
      case Undefined undefined -> false;
      case Boolean flag -> flag;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case LoopState loop -> loop.length() > 0;
      default -> true;
    };
  }

  /// Returns what printing the value writes.
  String text(Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined undefined -> "";
      default -> {
        StringBuilder out = new StringBuilder();
        represent(value, out);
        yield out.toString();
      }
    };
  }

  private void represent(Object value, StringBuilder out) {
    budget.step();
    budget.enter();
    int before = out.length();
    switch (value) {
      case String text -> out.append(Text.quoted(text));
      case None none -> out.append("None");
      case Boolean flag -> out.append(flag ? "True" : "False");
      case Double number -> out.append(Text.number(number));
      case Undefined undefined -> out.append("Undefined");
      case Tuple tuple -> {
        represent(tuple, "(", tuple.size() == 1 ? ",)" : ")", out);
      }
      case List<?> list -> represent(list, "[", "]", out);
      case Map<?, ?> map -> {
        String comma = "{";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(comma);
          represent(entry.getKey(), out);
          out.append(": ");
          represent(entry.getValue(), out);
          comma = ", ";
        }
        out.append(map.isEmpty() ? "{}" : "}");
      }
      case Long number -> out.append(number);
      case java.math.BigInteger number -> out.append(number);
      default -> throw wrong("print", value, "a value that has a text");
    }
    // what is nested has been charged with its own call
    budget.chars(
        Math.max(0, value instanceof List || value instanceof Map ? 4 : out.length() - before));
    budget.leave();
  }

  private void represent(List<?> items, String open, String close, StringBuilder out) {
    out.append(open);
    String comma = "";
    for (Object item : items) {
      out.append(comma);
      represent(item, out);
      comma = ", ";
    }
    out.append(close);
  }

  /// Whether two values are one, as all are that have no text or number of their own.
  @SuppressWarnings("ReferenceEquality")
  static boolean same(Object left, Object right) {
    return left == right;
  }

  boolean equal(Object left, Object right) {
    budget.step();
    if (same(left, right)) {
      return true;
    }
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.compare(left, right) == 0;
    }
    budget.enter();
    boolean equal =
        switch (left) {
          case String text -> {
            budget.reads(text);
            yield text.equals(right);
          }
          case Undefined undefined -> right instanceof Undefined;
          case List<?> list ->
              right instanceof List<?> other
                  && list instanceof Tuple == other instanceof Tuple
                  && equalItems(list, other);
          case Map<?, ?> map -> right instanceof Map<?, ?> other && equalEntries(map, other);
          default -> false;
        };
    budget.leave();
    return equal;
  }

  private boolean equalItems(List<?> left, List<?> right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!equal(left.get(i), right.get(i))) {
        return false;
      }
    }
    return true;
  }

  private boolean equalEntries(Map<?, ?> left, Map<?, ?> right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (Map.Entry<?, ?> entry : left.entrySet()) {
      Optional<Object> other = entry(right, entry.getKey());
      if (other.isEmpty() || !equal(entry.getValue(), other.get())) {
        return false;
      }
    }
    return true;
  }

  /// Orders two numbers, strings or lists.
  int compare(Object left, Object right) {
    budget.step();
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.compare(left, right);
    }
    if (left instanceof String a && right instanceof String b) {
      budget.reads(a);
      return compareText(a, b);
    }
    if (left instanceof List<?> a
        && right instanceof List<?> b
        && a instanceof Tuple == b instanceof Tuple) {
      for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
        if (!equal(a.get(i), b.get(i))) {
          return compare(a.get(i), b.get(i));
        }
      }
      return Integer.compare(a.size(), b.size());
    }
    throw wrong("comparison with " + kind(left), right, "two numbers, strings or lists");
  }

  /// Orders by code points, where Java's own order is that of UTF-16.
  private static int compareText(String a, String b) {
    int same = 0;
    int most = Math.min(a.length(), b.length());
    while (same < most && a.charAt(same) == b.charAt(same)) {
      same++;
    }
    if (same == most) {
      return Integer.compare(a.length(), b.length());
    }
    int beyond =
        Boolean.compare(
            Character.isSurrogate(a.charAt(same)), Character.isSurrogate(b.charAt(same)));
    return beyond != 0 ? beyond : Character.compare(a.charAt(same), b.charAt(same));
  }

  boolean contains(Object container, Object item) {
    if (container instanceof String text) {
      if (!(item instanceof String part)) {
        throw wrong("in", item, "a string, as in a string");
      }
      budget.searches(text, part);
      return text.contains(part);
    }
    if (container instanceof Map<?, ?> map) {
      return !(item instanceof Undefined) && entry(map, key(item)).isPresent();
    }
    for (Object each : items(container, "in")) {
      if (equal(each, item)) {
        return true;
      }
    }
    return false;
  }

  /// Returns what a loop over the value gives.
  List<Object> items(Object value, String what) {
    List<Object> items =
        switch (value) {
          case Undefined undefined -> List.of();
          case String text -> characters(text);
          case List<?> list -> cast(list);
          case Map<?, ?> map -> new ArrayList<>(map.keySet());
          case Generated generated -> generated.take();
          default -> throw wrong(what, value, "a list, mapping or string");
        };
    budget.steps(items.size());
    return items;
  }

  @SuppressWarnings("unchecked") // every list and map of a rendering is one of its values
  static List<Object> cast(List<?> list) {
    return (List<Object>) list;
  }

  @SuppressWarnings("unchecked")
  static Map<Object, Object> cast(Map<?, ?> map) {
    return (Map<Object, Object>) map;
  }

  private static List<Object> characters(String text) {
    List<Object> characters = new ArrayList<>();
    text.codePoints().forEach(c -> characters.add(Character.toString(c)));
    return characters;
  }

  int length(Object value) {
    return switch (value) {
      case Undefined undefined -> 0;
      case String text -> {
        budget.reads(text);
        yield text.codePointCount(0, text.length());
      }
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      default -> throw wrong("length", value, "a list, mapping or string");
    };
  }

  /// Returns a key as a dict takes it.
  static Object key(Object value) {
    return switch (value) {
      case Undefined undefined -> throw undefined.failure();
      case String text -> text;
      case None none -> none;
      case Tuple tuple -> throw wrong("key", value, "a string or number");
      default -> {
        if (!Numbers.isNumber(value)) {
          throw wrong("key", value, "a string or number");
        }
        yield value;
      }
    };
  }

  /// Returns a dict's value; 1, 1.0 and true are one key.
  static Optional<Object> entry(Map<?, ?> map, Object key) {
    return Optional.ofNullable(map.get(stored(map, key)));
  }

  static void put(Map<Object, Object> map, Object key, Object value) {
    map.put(stored(map, key), value);
  }

  /// Returns the form of a key that a dict already has, or else the key.
  private static Object stored(Map<?, ?> map, Object key) {
    if (map.containsKey(key) || !Numbers.isNumber(key)) {
      return key;
    }
    double real = Numbers.real(key);
    for (Object form : new Object[] {real, (long) real, real == 1}) {
      if (Numbers.compare(form, key) == 0 && map.containsKey(form)) {
        return form;
      }
    }
    return key;
  }

  /// Returns `value[key]`: an item, or else an attribute.
  Object item(Object value, Object key) {
    switch (value) {
      case Undefined undefined -> throw undefined.failure();
      case Map<?, ?> map -> {
        Object name =
            key instanceof String || Numbers.isNumber(key) || key == None.NONE ? key : null;
        Optional<Object> found = name == null ? Optional.empty() : entry(map, name);
        if (found.isPresent()) {
          return found.get();
        }
      }
      case List<?> list when Numbers.isInteger(key) -> {
        int index = index(key, list.size());
        if (index >= 0) {
          return list.get(index);
        }
      }
      case String text when Numbers.isInteger(key) -> {
        int index = index(key, length(text));
        if (index >= 0) {
          int from = text.offsetByCodePoints(0, index);
          return Character.toString(text.codePointAt(from));
        }
      }
      default -> {
        // has attributes at most
      }
    }
    Object attribute = key instanceof String name ? ownAttribute(value, name) : null;
    return attribute == null ? new Undefined(describe(key)) : attribute;
  }

  /// Returns `value.name`: an attribute or method, or else an item.
  Object attribute(Object value, String name) {
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    Object own = ownAttribute(value, name);
    if (own != null) {
      return own;
    }
    return value instanceof Map<?, ?> map
        ? entry(map, name).orElseGet(() -> new Undefined("`" + name + "`"))
        : new Undefined("`" + name + "`");
  }

  private @Nullable Object ownAttribute(Object value, String name) {
    return switch (value) {
      case String text -> new StringMethods(this).method(text, name);
      case Map<?, ?> map -> Methods.method(this, cast(map), name);
      case List<?> list -> Methods.method(this, cast(list), name);
      case Namespace namespace -> namespace.attributes().get(name);
      case LoopState loop -> loop.attribute(name);
      case Macro macro -> name.equals("name") ? macro.name() : null;
      default -> null;
    };
  }

  private static String describe(Object key) {
    return key instanceof String name ? "`" + name + "`" : "an item";
  }

  /// Returns an index from the front, or -1 if it is outside.
  private static int index(Object key, int size) {
    long index = Numbers.big(key).bitLength() < 63 ? Numbers.big(key).longValue() : size;
    index += index < 0 ? size : 0;
    return index < 0 || index >= size ? -1 : (int) index;
  }

  /// Returns `value[from:to:step]` of a list or string.
  Object slice(Object value, Object from, Object to, Object step) {
    if (!(value instanceof String) && !(value instanceof List)) {
      throw wrong("slice", value, "a list or string");
    }
    List<Object> items = items(value, "slice");
    long size = items.size();
    long by = bound(step, 1);
    if (by == 0) {
      throw new TemplateException("slice: found step 0, expected another");
    }
    long first = clamp(bound(from, by > 0 ? 0 : size - 1), from, size, by);
    long end = clamp(bound(to, by > 0 ? size : -1), to, size, by);
    List<Object> taken = new ArrayList<>();
    for (long i = first; by > 0 ? i < end : i > end; i += by) {
      taken.add(items.get((int) i));
    }
    if (value instanceof String) {
      StringBuilder text = new StringBuilder();
      taken.forEach(text::append);
      budget.chars(text.length());
      return text.toString();
    }
    return value instanceof Tuple ? new Tuple(taken) : taken;
  }

  private static long bound(Object given, long otherwise) {
    return switch (given) {
      case None none -> otherwise;
      case Long number -> Math.clamp(number, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case Boolean flag -> flag ? 1 : 0;
      default -> throw wrong("slice", given, "integers");
    };
  }

  private static long clamp(long place, Object given, long size, long by) {
    if (given == None.NONE) {
      return place;
    }
    long counted = place < 0 ? place + size : place;
    return by > 0 ? Math.clamp(counted, 0, size) : Math.clamp(counted, -1, size - 1);
  }

  Object compute(String operator, Object left, Object right) {
    if (left instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (right instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.of(operator, left, right);
    }
    if (operator.equals("+") && left instanceof String a && right instanceof String b) {
      budget.chars((long) a.length() + b.length());
      return a + b;
    }
    if (operator.equals("+")
        && left instanceof List<?> a
        && right instanceof List<?> b
        && a instanceof Tuple == b instanceof Tuple) {
      budget.steps((long) a.size() + b.size());
      List<Object> both = new ArrayList<>(a);
      both.addAll(b);
      return a instanceof Tuple ? new Tuple(both) : both;
    }
    if (operator.equals("*") && Numbers.isInteger(right)) {
      return repeat(left, right);
    }
    if (operator.equals("*") && Numbers.isInteger(left)) {
      return repeat(right, left);
    }
    if (operator.equals("%") && left instanceof String format) {
      return new PercentFormat(this, right).format(format);
    }
    throw new TemplateException(
        operator
            + ": found "
            + kind(left)
            + " and "
            + kind(right)
            + ", expected two numbers"
            + (operator.equals("+") ? ", strings or lists" : ""));
  }

  private Object repeat(Object value, Object times) {
    int count = (int) Math.clamp(Numbers.real(times), 0, Integer.MAX_VALUE);
    if (value instanceof String text) {
      budget.chars((long) text.length() * count);
      return text.repeat(count);
    }
    if (value instanceof List<?> list) {
      budget.steps((long) list.size() * count);
      List<Object> items = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        items.addAll(list);
      }
      return value instanceof Tuple ? new Tuple(items) : items;
    }
    throw wrong("*", value, "a number, string or list");
  }

  /// Makes values of what a caller gives.
  ///
  /// @throws IllegalArgumentException if it is not one of null, Boolean, Number, String, List, Map
  Object value(@Nullable Object given) {
    budget.step();
    return switch (given) {
      case null -> None.NONE;
      case String text -> text;
      case Boolean flag -> flag;
      case Double number -> number;
      case Float number -> (double) number;
      case java.math.BigDecimal number -> number.doubleValue();
      case java.math.BigInteger number -> Numbers.integer(number);
      case Number number -> number.longValue();
      case List<?> list -> {
        budget.enter();
        List<Object> items = new ArrayList<>();
        list.forEach(item -> items.add(value(item)));
        budget.leave();
        yield items;
      }
      case Map<?, ?> map -> {
        budget.enter();
        Map<Object, Object> entries = new LinkedHashMap<>();
        map.forEach((key, item) -> put(entries, key(value(key)), value(item)));
        budget.leave();
        yield entries;
      }
      default ->
          throw new IllegalArgumentException(
              "chat template: found "
                  + given.getClass().getName()
                  + ", expected null, Boolean, Number, String, List or Map");
    };
  }
}
