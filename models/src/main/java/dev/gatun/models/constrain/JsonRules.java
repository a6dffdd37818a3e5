package dev.gatun.models.constrain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The rules of JSON (RFC 8259) that grammars of JSON are made of; each is added once it is used.
final class JsonRules {
  static final int MAX_DIGITS = 16;

  private static final CharSet CONTROLS = CharSet.of(0, 0x1f);
  private static final CharSet ESCAPED = CONTROLS.plus(CharSet.of("\"\\"));
  private static final CharSet PLAIN = ESCAPED.complement();
  private static final Expr HEX = new Expr.Chars(CharSet.DIGITS.plus('a', 'f').plus('A', 'F'));

  private final Map<String, Expr> rules = new LinkedHashMap<>();
  private final Map<CharSet, Expr> encoded = new HashMap<>();
  private int keys;

  /// Returns the rules that are in use.
  Map<String, Expr> all() {
    return rules;
  }

  /// Adds a rule under a name that is new.
  Expr rule(String name, Expr says) {
    rules.put(name, says);
    return new Expr.Ref(name);
  }

  /// Returns white space: nothing, a blank, or a new line and some more.
  Expr space() {
    if (!rules.containsKey("space")) {
      rule(
          "space",
          new Expr.Alt(
              List.of(
                  Expr.text(""),
                  Expr.text(" "),
                  Expr.seq(
                      Expr.text("\n"),
                      new Expr.Repeat(new Expr.Chars(CharSet.of(" \t")), 0, 20)))));
    }
    return new Expr.Ref("space");
  }

  /// Returns any value.
  Expr anyValue() {
    if (!rules.containsKey("value")) {
      rules.put("value", Expr.text("")); // known from here on: values hold values
      rule(
          "value",
          new Expr.Alt(
              List.of(
                  anyObject(),
                  anyArray(),
                  anyString(),
                  number(),
                  new Expr.Words(List.of("true", "false", "null")))));
    }
    return new Expr.Ref("value");
  }

  /// Returns any object.
  Expr anyObject() {
    if (!rules.containsKey("object")) {
      rules.put("object", Expr.text(""));
      rule("object", object(List.of(), member(anyString(), anyValue())));
    }
    return new Expr.Ref("object");
  }

  private Expr anyArray() {
    if (!rules.containsKey("array")) {
      rules.put("array", Expr.text(""));
      rule("array", array(List.of(), 0, anyValue(), 0, Expr.Repeat.UNBOUNDED));
    }
    return new Expr.Ref("array");
  }

  /// Returns a string of any length.
  Expr anyString() {
    if (!rules.containsKey("string")) {
      rule("string", string(0, Expr.Repeat.UNBOUNDED));
    }
    return new Expr.Ref("string");
  }

  /// Returns a string of so many characters.
  Expr string(int min, int max) {
    return quoted(new Expr.Repeat(character(), min, max));
  }

  private Expr character() {
    return new Expr.Alt(List.of(new Expr.Chars(PLAIN), escape()));
  }

  /// Returns an escape sequence of one character; of surrogates it takes pairs only.
  private Expr escape() {
    if (!rules.containsKey("escape")) {
      Expr high = Expr.seq(chars("dD"), chars("89abAB"), HEX, HEX);
      Expr low = Expr.seq(Expr.text("\\u"), chars("dD"), chars("cdefCDEF"), HEX, HEX);
      Expr other =
          new Expr.Alt(
              List.of(
                  Expr.seq(chars("0123456789abcefABCEF"), HEX, HEX, HEX),
                  Expr.seq(chars("dD"), chars("01234567"), HEX, HEX)));
      rule(
          "escape",
          Expr.seq(
              Expr.text("\\"),
              new Expr.Alt(
                  List.of(
                      chars("\"\\/bfnrt"),
                      Expr.seq(
                          Expr.text("u"), new Expr.Alt(List.of(other, Expr.seq(high, low))))))));
    }
    return new Expr.Ref("escape");
  }

  private static Expr chars(String characters) {
    return new Expr.Chars(CharSet.of(characters));
  }

  /// Returns a number: digits, point, exponent, each bounded so that none goes on for ever.
  Expr number() {
    if (!rules.containsKey("number")) {
      Expr digit = new Expr.Chars(CharSet.DIGITS);
      rule(
          "number",
          Expr.seq(
              Expr.optional(Expr.text("-")),
              new Expr.Alt(
                  List.of(
                      Expr.text("0"),
                      Expr.seq(
                          new Expr.Chars(CharSet.of('1', '9')),
                          new Expr.Repeat(digit, 0, MAX_DIGITS - 1)))),
              Expr.optional(Expr.seq(Expr.text("."), new Expr.Repeat(digit, 1, MAX_DIGITS))),
              Expr.optional(
                  Expr.seq(
                      chars("eE"), Expr.optional(chars("+-")), new Expr.Repeat(digit, 1, 2)))));
    }
    return new Expr.Ref("number");
  }

  /// Returns a member of an object.
  Expr member(Expr key, Expr value) {
    return Expr.seq(key, Expr.text(":"), space(), value);
  }

  /// Returns an object of members in their order and, behind them, any number of `extra` ones.
  Expr object(List<Expr.Member> members, Expr extra) {
    return braces(new Expr.Members(members, extra, comma()));
  }

  /// Returns an object of members in their order.
  Expr object(List<Expr.Member> members) {
    return braces(new Expr.Members(members, null, comma()));
  }

  private Expr braces(Expr.Members members) {
    return Expr.seq(Expr.text("{"), space(), members, space(), Expr.text("}"));
  }

  private Expr comma() {
    return Expr.seq(Expr.text(","), space());
  }

  /// Returns an array of first items, of which the last may be left out, and of `rest` ones.
  ///
  /// @param required first items that must be there
  /// @param min least number of `rest` items, 0 unless all first ones are required
  /// @param max most, or [Expr.Repeat#UNBOUNDED]
  Expr array(List<Expr> first, int required, Expr rest, int min, int max) {
    List<Expr> parts = new ArrayList<>();
    for (Expr item : first) {
      parts.add(parts.isEmpty() ? item : Expr.seq(comma(), item));
    }
    Expr more = Expr.seq(comma(), rest);
    if (first.isEmpty() && max != 0) {
      boolean unbounded = max == Expr.Repeat.UNBOUNDED;
      parts.add(rest);
      parts.add(new Expr.Repeat(more, Math.max(min - 1, 0), unbounded ? max : max - 1));
    } else {
      parts.add(new Expr.Repeat(more, min, max));
    }
    int least = min > 0 ? parts.size() : required;
    return Expr.seq(Expr.text("["), space(), new Expr.Chain(parts, least), space(), Expr.text("]"));
  }

  /// Returns a string whose characters follow an expression, written the shortest way.
  Expr encodedString(Expr characters) {
    return quoted(encode(characters));
  }

  private static Expr quoted(Expr characters) {
    return Expr.seq(Expr.text("\""), characters, Expr.text("\""));
  }

  private Expr encode(Expr expr) {
    return switch (expr) {
      case Expr.Chars(CharSet set) -> encoded.computeIfAbsent(set, this::encode);
      case Expr.Chain(List<Expr> parts, int required) ->
          new Expr.Chain(parts.stream().map(this::encode).toList(), required);
      case Expr.Alt(List<Expr> choices) ->
          new Expr.Alt(choices.stream().map(this::encode).toList());
      case Expr.Repeat(Expr part, int min, int max) -> new Expr.Repeat(encode(part), min, max);
      default -> throw new AssertionError(expr); // not made by RegexParser
    };
  }

  private Expr encode(CharSet set) {
    List<String> escapes = new ArrayList<>();
    for (int[] range : set.and(ESCAPED).ranges()) {
      for (int c = range[0]; c <= range[1]; c++) {
        escapes.add(escaped(c));
      }
    }
    CharSet plain = set.and(PLAIN);
    if (escapes.isEmpty()) {
      return new Expr.Chars(plain);
    }
    Expr written = new Expr.Words(escapes);
    return rule(
        "characters " + encoded.size(),
        plain.isEmpty() ? written : new Expr.Alt(List.of(new Expr.Chars(plain), written)));
  }

  private static String escaped(int c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> String.format("\\u%04x", c);
    };
  }

  /// Returns a string without escapes that is none of some names.
  ///
  /// A tree of the names: what leaves it is another name, and what stays may only end between
  /// names.
  Expr otherKey(Set<String> names) {
    Map<String, List<int[]>> branches = new LinkedHashMap<>(); // of each beginning of a name
    branches.put("", new ArrayList<>());
    for (String name : names) {
      for (int i = 0, end; i < name.length(); i = end) {
        int c = name.codePointAt(i);
        end = i + Character.charCount(c);
        if (branches.putIfAbsent(name.substring(0, end), new ArrayList<>()) == null) {
          branches
              .computeIfAbsent(name.substring(0, i), key -> new ArrayList<>())
              .add(new int[] {c, c});
        }
      }
    }
    String tree = "key " + keys++ + " ";
    Expr rest =
        rule(
            tree + "rest", // no beginning, for those have a quote in front
            Expr.seq(
                new Expr.Repeat(new Expr.Chars(PLAIN), 0, Expr.Repeat.UNBOUNDED), Expr.text("\"")));
    branches.forEach((beginning, nexts) -> {
      List<Expr> choices = new ArrayList<>();
      for (int[] next : nexts) {
        if (PLAIN.contains(next[0])) {
          String longer = beginning + Character.toString(next[0]);
          choices.add(
              Expr.seq(
                  new Expr.Chars(CharSet.of(next[0], next[0])), new Expr.Ref(tree + '"' + longer)));
        }
      }
      choices.add(Expr.seq(new Expr.Chars(PLAIN.minus(CharSet.ofRanges(nexts))), rest));
      if (!names.contains(beginning)) {
        choices.add(Expr.text("\""));
      }
      rule(tree + '"' + beginning, new Expr.Alt(choices));
    });
    return Expr.seq(Expr.text("\""), new Expr.Ref(tree + '"'));
  }
}
