package dev.gatun.templates;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Computes expressions.
final class Evaluator {
  private final Python python;
  private final Filters filters;
  private final Tests tests;

  Evaluator(Python python) {
    this.python = python;
    this.filters = new Filters(python);
    this.tests = new Tests(python);
  }

  Object value(Expr expression, Frame frame) {
    python.budget().step();
    python.budget().enter();
    Object value = evaluate(expression, frame);
    python.budget().leave();
    return value;
  }

  private Object evaluate(Expr expression, Frame frame) {
    return switch (expression) {
      case Expr.Constant constant -> constant.value();
      case Expr.Name name -> frame.get(name.name());
      case Expr.TupleOf tuple -> new Tuple(values(tuple.items(), frame));
      case Expr.ListOf list -> values(list.items(), frame);
      case Expr.DictOf dict -> dict(dict, frame);
      case Expr.Attribute attribute ->
          python.attribute(value(attribute.value(), frame), attribute.name());
      case Expr.Item item -> item(item, frame);
      case Expr.Range range -> throw new TemplateException("found a slice, expected a key");
      case Expr.Call call -> call(call, frame, null);
      case Expr.Filter filter ->
          filters.apply(
              filter.name(), value(filter.value(), frame), arguments(filter.given(), frame));
      case Expr.Test test ->
          tests.holds(test.name(), value(test.value(), frame), arguments(test.given(), frame));
      case Expr.Not not -> !Python.truth(value(not.value(), frame));
      case Expr.And and -> {
        Object left = value(and.left(), frame);
        yield Python.truth(left) ? value(and.right(), frame) : left;
      }
      case Expr.Or or -> {
        Object left = value(or.left(), frame);
        yield Python.truth(left) ? left : value(or.right(), frame);
      }
      case Expr.Compare compare -> compare(compare, frame);
      case Expr.Binary binary ->
          python.compute(
              binary.operator(), value(binary.left(), frame), value(binary.right(), frame));
      case Expr.Sign sign -> signed(sign.negative(), value(sign.value(), frame));
      case Expr.Concat concat -> concat(concat, frame);
      case Expr.Conditional conditional -> {
        if (Python.truth(value(conditional.test(), frame))) {
          yield value(conditional.then(), frame);
        }
        yield conditional.otherwise() == null
            ? new Undefined("an `if` without `else`")
            : value(conditional.otherwise(), frame);
      }
    };
  }

  private static Object signed(boolean negative, Object value) {
    if (!Numbers.isNumber(value)) {
      throw Python.wrong("sign", value, "a number");
    }
    return Numbers.of("*", value, negative ? -1L : 1L);
  }

  private List<Object> values(List<Expr> expressions, Frame frame) {
    List<Object> values = new ArrayList<>();
    for (Expr expression : expressions) {
      values.add(value(expression, frame));
    }
    return values;
  }

  private Object dict(Expr.DictOf dict, Frame frame) {
    Map<Object, Object> entries = new LinkedHashMap<>();
    for (int i = 0; i < dict.keys().size(); i++) {
      Object key = Python.key(value(dict.keys().get(i), frame));
      Python.put(entries, key, value(dict.values().get(i), frame));
    }
    return entries;
  }

  private Object item(Expr.Item item, Frame frame) {
    Object value = value(item.value(), frame);
    return item.key() instanceof Expr.Range range
        ? python.slice(
            value, bound(range.from(), frame), bound(range.to(), frame), bound(range.step(), frame))
        : python.item(value, value(item.key(), frame));
  }

  private Object bound(@Nullable Expr expression, Frame frame) {
    return expression == null ? None.NONE : value(expression, frame);
  }

  private Object compare(Expr.Compare compare, Frame frame) {
    Object left = value(compare.first(), frame);
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = value(compare.rest().get(i), frame);
      if (!holds(compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private boolean holds(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> python.equal(left, right);
      case "!=" -> !python.equal(left, right);
      case "<" -> python.compare(left, right) < 0;
      case "<=" -> python.compare(left, right) <= 0;
      case ">" -> python.compare(left, right) > 0;
      case ">=" -> python.compare(left, right) >= 0;
      case "in" -> python.contains(right, left);
      default -> !python.contains(right, left);
    };
  }

  private Object concat(Expr.Concat concat, Frame frame) {
    StringBuilder out = new StringBuilder();
    for (Object part : values(concat.parts(), frame)) {
      String text = python.text(part);
      python.budget().chars(text.length());
      out.append(text);
    }
    return out.toString();
  }

  /// Calls a function, with a caller where a `call` block does.
  Object call(Expr.Call call, Frame frame, @Nullable Callable caller) {
    Object function = value(call.function(), frame);
    if (!(function instanceof Callable callable)) {
      throw Python.wrong("call", function, "a function");
    }
    Arguments arguments = arguments(call.given(), frame);
    if (caller != null) {
      arguments.named().put("caller", caller);
    }
    return callable.call(arguments);
  }

  private Arguments arguments(Expr.Given given, Frame frame) {
    Map<String, Object> named = new LinkedHashMap<>();
    given.named().forEach((name, value) -> named.put(name, value(value, frame)));
    return new Arguments(values(given.positional(), frame), named);
  }

  /// Sends a block's text through its filters.
  Object filtered(List<Expr.Filter> through, String text, Frame frame) {
    Object value = text;
    for (Expr.Filter filter : through) {
      value = filters.apply(filter.name(), value, arguments(filter.given(), frame));
    }
    return value;
  }
}
