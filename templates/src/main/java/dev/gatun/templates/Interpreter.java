package dev.gatun.templates;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Runs a template once.
final class Interpreter {
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Budget budget = new Budget();
  private final Python python = new Python(budget);
  private final Evaluator evaluator = new Evaluator(python);
  private final Frame globals = new Frame(null);

  Interpreter(Clock clock) {
    Functions functions = new Functions(python);
    globals.set("range", (Callable) functions::range);
    globals.set("dict", (Callable) functions::dict);
    globals.set("joiner", (Callable) functions::joiner);
    globals.set("namespace", (Callable) functions::namespace);
    globals.set(
        "raise_exception",
        (Callable)
            arguments -> {
              Object message = arguments.bind("raise_exception", 1, "message").get("message");
              throw new TemplateException(python.text(message));
            });
    globals.set(
        "strftime_now",
        (Callable)
            arguments -> {
              String format = arguments.bind("strftime_now", 1, "format").text("format", "");
              budget.chars(20L * format.length());
              return Strftime.format(LocalDateTime.now(clock), format);
            });
  }

  /// Runs a template on variables.
  ///
  /// @return what it writes
  String run(List<Node> template, Map<String, ? extends @Nullable Object> variables) {
    Frame frame = new Frame(globals);
    variables.forEach((name, value) -> frame.set(name, python.value(value)));
    return written(template, new Frame(frame));
  }

  private String written(List<Node> nodes, Frame frame) {
    StringBuilder out = new StringBuilder();
    execute(nodes, frame, out);
    return out.toString();
  }

  private Flow execute(List<Node> nodes, Frame frame, StringBuilder out) {
    budget.enter();
    Flow flow = Flow.ON;
    for (Node node : nodes) {
      budget.step();
      try {
        flow = execute(node, frame, out);
      } catch (TemplateException e) {
        throw e.at(node.line());
      }
      if (flow != Flow.ON) {
        break;
      }
    }
    budget.leave();
    return flow;
  }

  private Flow execute(Node node, Frame frame, StringBuilder out) {
    switch (node) {
      case Node.Data data -> write(data.text(), out);
      case Node.Print print -> write(python.text(value(print.value(), frame)), out);
      case Node.If condition -> {
        boolean holds = Python.truth(value(condition.test(), frame));
        return execute(holds ? condition.then() : condition.otherwise(), frame, out);
      }
      case Node.For loop -> loop(loop, frame, out);
      case Node.Set set -> assign(set.target(), value(set.value(), frame), frame);
      case Node.SetBlock set -> {
        String text = written(set.body(), new Frame(frame));
        assign(set.target(), evaluator.filtered(set.filters(), text, frame), frame);
      }
      case Node.FilterBlock block -> {
        String text = written(block.body(), new Frame(frame));
        write(python.text(evaluator.filtered(block.filters(), text, frame)), out);
      }
      case Node.With with -> {
        Frame inner = new Frame(frame);
        for (int i = 0; i < with.targets().size(); i++) {
          assign(with.targets().get(i), value(with.values().get(i), frame), inner);
        }
        return execute(with.body(), inner, out);
      }
      case Node.Macro macro ->
          frame.set(
              macro.name(), new Macro(macro.name(), callable(macro.name(), macro.body(), frame)));
      case Node.CallBlock block -> {
        Callable caller = callable("caller", block.caller(), frame);
        write(python.text(evaluator.call(block.call(), frame, caller)), out);
      }
      case Node.Generation generation -> {
        return execute(generation.body(), new Frame(frame), out);
      }
      case Node.Break stop -> {
        return Flow.BREAK;
      }
      case Node.Continue next -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.ON;
  }

  private Object value(Expr expression, Frame frame) {
    return evaluator.value(expression, frame);
  }

  private void write(String text, StringBuilder out) {
    budget.chars(text.length());
    out.append(text);
  }

  private void loop(Node.For loop, Frame frame, StringBuilder out) {
    List<Object> items = python.items(value(loop.items(), frame), "for");
    if (loop.filter() != null) {
      List<Object> kept = new ArrayList<>();
      for (Object item : items) {
        Frame inner = new Frame(frame);
        assign(loop.target(), item, inner);
        if (Python.truth(value(loop.filter(), inner))) {
          kept.add(item);
        }
      }
      items = kept;
    }
    LoopState state = new LoopState(python, items);
    for (int i = 0; i < items.size(); i++) {
      budget.step();
      state.move(i);
      Frame inner = new Frame(frame);
      inner.set("loop", state);
      assign(loop.target(), items.get(i), inner);
      if (execute(loop.body(), inner, out) == Flow.BREAK) {
        break;
      }
    }
    if (items.isEmpty()) {
      execute(loop.otherwise(), new Frame(frame), out);
    }
  }

  private void assign(Node.Target target, Object value, Frame frame) {
    switch (target) {
      case Node.NameTarget name -> frame.set(name.name(), value);
      case Node.AttributeTarget attribute -> {
        Object owner = frame.get(attribute.namespace());
        if (!(owner instanceof Namespace namespace)) {
          throw Python.wrong("set " + attribute.namespace(), owner, "a namespace");
        }
        namespace.attributes().put(attribute.attribute(), value);
      }
      case Node.TupleTarget tuple -> {
        List<Object> items = python.items(value, "set");
        if (items.size() != tuple.targets().size()) {
          throw new TemplateException(
              "set: found %d values, expected %d".formatted(items.size(), tuple.targets().size()));
        }
        for (int i = 0; i < items.size(); i++) {
          assign(tuple.targets().get(i), items.get(i), frame);
        }
      }
    }
  }

  /// Returns what runs a macro's statements in the scope that the macro stands in.
  private Callable callable(String name, Node.Body body, Frame defined) {
    return arguments -> {
      Frame frame = new Frame(defined);
      List<String> parameters = body.parameters();
      Map<String, Object> named = new LinkedHashMap<>(arguments.named());
      int given = Math.min(arguments.positional().size(), parameters.size());
      for (int i = 0; i < given; i++) {
        if (named.containsKey(parameters.get(i))) {
          throw new TemplateException(
              "%s: found %s twice, expected it once".formatted(name, parameters.get(i)));
        }
        frame.set(parameters.get(i), arguments.positional().get(i));
      }
      int required = parameters.size() - body.defaults().size();
      for (int i = given; i < parameters.size(); i++) {
        Object value = named.remove(parameters.get(i));
        if (value == null) {
          value =
              i < required
                  ? new Undefined("`" + parameters.get(i) + "`")
                  : value(body.defaults().get(i - required), frame);
        }
        frame.set(parameters.get(i), value);
      }
      rest(
          name,
          body,
          arguments.positional().subList(given, arguments.positional().size()),
          named,
          frame);
      return written(body.statements(), frame);
    };
  }

  /// Sets what a macro without such parameters may read: further arguments and the caller.
  private static void rest(
      String name,
      Node.Body body,
      List<Object> positional,
      Map<String, Object> named,
      Frame frame) {
    Object caller = named.remove("caller");
    frame.set("caller", caller == null ? new Undefined("`caller`") : caller);
    if (body.names().contains("varargs")) {
      frame.set("varargs", new Tuple(positional));
    } else if (!positional.isEmpty()) {
      throw new TemplateException(
          "%s: found %d arguments more than parameters, expected none"
              .formatted(name, positional.size()));
    }
    if (body.names().contains("kwargs")) {
      frame.set("kwargs", new LinkedHashMap<Object, Object>(named));
    } else if (!named.isEmpty()) {
      throw new TemplateException(
          "%s: found arguments %s, expected one of %s"
              .formatted(name, named.keySet(), body.parameters()));
    }
  }
}
