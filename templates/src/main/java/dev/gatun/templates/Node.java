package dev.gatun.templates;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A statement of a template.
sealed interface Node {
  /// The line that it begins in.
  int line();

  record Data(int line, String text) implements Node {}

  record Print(int line, Expr value) implements Node {}

  record If(int line, Expr test, List<Node> then, List<Node> otherwise) implements Node {}

  record For(
      int line,
      Target target,
      Expr items,
      @Nullable Expr filter,
      List<Node> body,
      List<Node> otherwise)
      implements Node {}

  record Set(int line, Target target, Expr value) implements Node {}

  /// `set` without a value: takes what its body writes, through the filters.
  record SetBlock(int line, Target target, List<Expr.Filter> filters, List<Node> body)
      implements Node {}

  /// The body's output through filters.
  record FilterBlock(int line, List<Expr.Filter> filters, List<Node> body) implements Node {}

  record With(int line, List<Target> targets, List<Expr> values, List<Node> body) implements Node {}

  record Macro(int line, String name, Body body) implements Node {}

  record CallBlock(int line, Expr.Call call, Body caller) implements Node {}

  /// What stands between `generation` and its end, written as it is.
  record Generation(int line, List<Node> body) implements Node {}

  record Break(int line) implements Node {}

  record Continue(int line) implements Node {}

  /// A macro's parameters and statements.
  ///
  /// @param defaults of the last parameters
  /// @param names all that the statements read
  record Body(
      List<String> parameters,
      List<Expr> defaults,
      List<Node> statements,
      java.util.Set<String> names) {}

  /// What is assigned to.
  sealed interface Target {}

  record NameTarget(String name) implements Target {}

  record AttributeTarget(String namespace, String attribute) implements Target {}

  record TupleTarget(List<Target> targets) implements Target {}
}
