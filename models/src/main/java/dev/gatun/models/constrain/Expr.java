package dev.gatun.models.constrain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a rule of a grammar says, over characters.
sealed interface Expr {
  /// One character of a set.
  record Chars(CharSet set) implements Expr {}

  /// A text as it stands.
  record Text(String text) implements Expr {}

  /// One of several texts, which share the states of their common beginnings.
  record Words(List<String> words) implements Expr {}

  /// Parts one behind the other; the last ones, from `required` on, may be left out.
  record Chain(List<Expr> parts, int required) implements Expr {}

  /// One of several.
  record Alt(List<Expr> choices) implements Expr {}

  /// A part so many times.
  ///
  /// @param max most times, or [#UNBOUNDED]
  record Repeat(Expr part, int min, int max) implements Expr {
    static final int UNBOUNDED = -1;
  }

  /// Members in their order with separators between them, then any number of `extra` ones.
  record Members(List<Member> members, @Nullable Expr extra, Expr separator) implements Expr {}

  /// One of [Members], which is no expression of its own.
  record Member(Expr part, boolean required) {}

  /// What another rule says.
  record Ref(String rule) implements Expr {}

  static Expr seq(Expr... parts) {
    return seq(List.of(parts));
  }

  static Expr seq(List<Expr> parts) {
    return parts.size() == 1 ? parts.getFirst() : new Chain(parts, parts.size());
  }

  static Expr alt(List<Expr> choices) {
    return choices.size() == 1 ? choices.getFirst() : new Alt(choices);
  }

  static Expr text(String text) {
    return new Text(text);
  }

  static Expr optional(Expr part) {
    return new Repeat(part, 0, 1);
  }
}
