package dev.gatun.templates;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An expression of a template.
sealed interface Expr {
  record Constant(Object value) implements Expr {}

  record Name(String name) implements Expr {}

  record TupleOf(List<Expr> items) implements Expr {}

  record ListOf(List<Expr> items) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

  record Attribute(Expr value, String name) implements Expr {}

  record Item(Expr value, Expr key) implements Expr {}

  /// The inside of `[from:to:step]`, as an item's key only.
  record Range(@Nullable Expr from, @Nullable Expr to, @Nullable Expr step) implements Expr {}

  record Call(Expr function, Given given) implements Expr {}

  record Filter(Expr value, String name, Given given) implements Expr {}

  record Test(Expr value, String name, Given given) implements Expr {}

  record Not(Expr value) implements Expr {}

  record And(Expr left, Expr right) implements Expr {}

  record Or(Expr left, Expr right) implements Expr {}

  /// `first op rest op rest`, true if each neighbouring pair is.
  record Compare(Expr first, List<String> operators, List<Expr> rest) implements Expr {}

  record Binary(String operator, Expr left, Expr right) implements Expr {}

  record Sign(boolean negative, Expr value) implements Expr {}

  record Concat(List<Expr> parts) implements Expr {}

  record Conditional(Expr test, Expr then, @Nullable Expr otherwise) implements Expr {}

  /// The arguments as written.
  record Given(List<Expr> positional, Map<String, Expr> named) {
    static final Given NONE = new Given(List.of(), Map.of());
  }
}
