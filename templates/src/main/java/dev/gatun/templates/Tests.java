package dev.gatun.templates;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Jinja's tests, what stands behind `is`.
///
/// @param python rules of values
record Tests(Python python) {
  static final Set<String> NAMES =
      new TreeSet<>(
          Set.of(
              "!=",
              "<",
              "<=",
              "==",
              ">",
              ">=",
              "boolean",
              "callable",
              "defined",
              "divisibleby",
              "eq",
              "equalto",
              "even",
              "false",
              "filter",
              "float",
              "ge",
              "greaterthan",
              "gt",
              "in",
              "integer",
              "iterable",
              "le",
              "lessthan",
              "lower",
              "lt",
              "mapping",
              "ne",
              "none",
              "number",
              "odd",
              "sameas",
              "sequence",
              "string",
              "test",
              "true",
              "undefined",
              "upper"));

  boolean holds(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "eq", "equalto", "==" -> python.equal(value, other(name, arguments));
      case "ne", "!=" -> !python.equal(value, other(name, arguments));
      case "lt", "lessthan", "<" -> python.compare(value, other(name, arguments)) < 0;
      case "le", "<=" -> python.compare(value, other(name, arguments)) <= 0;
      case "gt", "greaterthan", ">" -> python.compare(value, other(name, arguments)) > 0;
      case "ge", ">=" -> python.compare(value, other(name, arguments)) >= 0;
      case "in" -> python.contains(other(name, arguments), value);
      case "sameas" -> isSame(value, other(name, arguments));
      case "divisibleby" -> isMultiple(value, other(name, arguments));
      default -> {
        arguments.bind(name, 0);
        yield holds(name, value);
      }
    };
  }

  private static Object other(String name, Arguments arguments) {
    return arguments.bind(name, 1, "other").get("other");
  }

  private static boolean isSame(Object value, Object other) {
    boolean byValue = value instanceof String || Numbers.isNumber(value);
    return Python.same(value, other) || (byValue && value.equals(other));
  }

  private boolean isMultiple(Object value, Object divisor) {
    return python.equal(python.compute("%", value, divisor), 0L);
  }

  private boolean holds(String name, Object value) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == None.NONE;
      case "string" -> value instanceof String;
      case "mapping" -> value instanceof Map;
      case "iterable" ->
          isSequence(value) || value instanceof Generated || value instanceof LoopState;
      case "sequence" -> isSequence(value);
      case "number" -> Numbers.isNumber(value);
      case "integer" -> Numbers.isInteger(value) && !(value instanceof Boolean);
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> value.equals(true);
      case "false" -> value.equals(false);
      case "odd" -> python.equal(python.compute("%", value, 2L), 1L);
      case "even" -> isMultiple(value, 2L);
      case "lower" ->
          StringMethods.isCase(python.text(value), Character::isLowerCase, Character::isUpperCase);
      case "upper" ->
          StringMethods.isCase(python.text(value), Character::isUpperCase, Character::isLowerCase);
      case "callable" -> value instanceof Callable || value instanceof Undefined;
      case "filter" -> value instanceof String text && Filters.NAMES.contains(text);
      case "test" -> value instanceof String text && NAMES.contains(text);
      default -> throw new TemplateException("found test " + name + ", expected one of " + NAMES);
    };
  }

  private static boolean isSequence(Object value) {
    return value instanceof String
        || value instanceof List
        || value instanceof Map
        || value instanceof Undefined;
  }
}
