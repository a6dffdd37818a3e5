package dev.gatun.models.constrain;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads rules in GBNF, the notation of llama.cpp (grammars/README.md there).
final class GbnfParser {
  static final int MAX_RULES = 10_000;

  private final Scanner in;
  private final Map<String, Expr> rules = new LinkedHashMap<>();

  private GbnfParser(Scanner in) {
    this.in = in;
  }

  /// Returns the rules by their names; `root` is one of them.
  static Map<String, Expr> parse(String gbnf) {
    GbnfParser parser = new GbnfParser(new Scanner("grammar", gbnf));
    parser.blanks(true);
    while (!parser.in.atEnd()) {
      parser.rule();
    }
    if (!parser.rules.containsKey("root")) {
      throw Refusal.of("grammar", "no rule root", "one, which says what a text is");
    }
    return parser.rules;
  }

  private void rule() {
    int start = in.position();
    String name = name();
    blanks(false);
    if (!in.takeIf("::=")) {
      throw in.wrong("\"::=\"");
    }
    blanks(true);
    Expr says = alternatives(false);
    if (!in.atEnd() && in.peek() != '\n' && in.peek() != '\r') {
      throw in.wrong("a part of the rule, or the end of the line");
    }
    blanks(true);
    if (rules.put(name, says) != null) {
      throw Refusal.of(in.place(start), "rule " + name + " again", "each rule once");
    }
    if (rules.size() > MAX_RULES) {
      throw Refusal.of(in.place(start), "more than " + MAX_RULES + " rules", "fewer");
    }
  }

  private String name() {
    StringBuilder name = new StringBuilder();
    while (isName(in.peek())) {
      name.appendCodePoint(in.take("a name"));
    }
    if (name.isEmpty()) {
      throw in.wrong("the name of a rule");
    }
    return name.toString();
  }

  private static boolean isName(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '_';
  }

  private Expr alternatives(boolean inGroup) {
    List<Expr> choices = new ArrayList<>();
    do {
      blanks(true);
      choices.add(sequence(inGroup));
    } while (anotherAlternative());
    return Expr.alt(choices);
  }

  /// Takes a bar, which may stand on a later line.
  private boolean anotherAlternative() {
    int start = in.position();
    blanks(true);
    if (in.takeIf('|')) {
      return true;
    }
    in.backTo(start);
    return false;
  }

  private Expr sequence(boolean inGroup) {
    List<Expr> parts = new ArrayList<>();
    while (true) {
      blanks(inGroup);
      int c = in.peek();
      Expr part;
      if (c == '"') {
        part = literal();
      } else if (c == '[') {
        part = new Expr.Chars(set());
      } else if (c == '.') {
        in.expect('.');
        part = new Expr.Chars(CharSet.ALL);
      } else if (c == '(') {
        part = group();
      } else if (isName(c)) {
        part = new Expr.Ref(name());
      } else {
        return Expr.seq(parts);
      }
      blanks(inGroup);
      parts.add(repetitions(part, inGroup));
    }
  }

  private Expr repetitions(Expr part, boolean inGroup) {
    Expr all = part;
    int count = 0;
    for (; in.atQuantifier(); count++) {
      in.enter();
      all = in.repeated(all);
      blanks(inGroup);
    }
    for (; count > 0; count--) {
      in.leave();
    }
    return all;
  }

  private Expr group() {
    in.expect('(');
    in.enter();
    Expr inner = alternatives(true);
    blanks(true);
    in.expect(')');
    in.leave();
    return inner;
  }

  private Expr literal() {
    in.expect('"');
    StringBuilder text = new StringBuilder();
    while (!in.takeIf('"')) {
      text.appendCodePoint(character("the closing \""));
    }
    return Expr.text(text.toString());
  }

  private CharSet set() {
    int start = in.position();
    in.expect('[');
    boolean negated = in.takeIf('^');
    List<int[]> ranges = new ArrayList<>();
    while (!in.takeIf(']')) {
      int first = character("the closing ]");
      int last = first;
      if (in.peek() == '-' && in.peek(1) != ']') {
        in.expect('-');
        last = character("the end of a range");
      }
      if (last < first) {
        throw Refusal.of(
            in.place(start), "a range that runs backwards", "the lower character first");
      }
      ranges.add(new int[] {first, last});
    }
    CharSet set = CharSet.ofRanges(ranges);
    CharSet taken = negated ? set.complement() : set;
    if (taken.isEmpty()) {
      throw Refusal.of(in.place(start), "a set without characters", "at least one");
    }
    return taken;
  }

  private int character(String expected) {
    int c = in.take(expected);
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      throw Refusal.of(in.place(), "half a surrogate pair", "whole characters");
    }
    if (c != '\\') {
      return c;
    }
    int escaped = in.take("an escape");
    return switch (escaped) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'x' -> in.hex(2);
      case 'u' -> in.hex(4);
      case 'U' -> in.hex(8);
      case '\\', '"', '[', ']', '^', '-' -> escaped;
      default ->
          throw Refusal.of(
              in.place(), "\"\\" + Character.toString(escaped) + "\"", "an escape of GBNF");
    };
  }

  private void blanks(boolean withLines) {
    while (true) {
      int c = in.peek();
      if (c == '#') {
        while (!in.atEnd() && in.peek() != '\n') {
          in.take("a comment");
        }
      } else if (c == ' ' || c == '\t' || (withLines && (c == '\n' || c == '\r'))) {
        in.take("a blank");
      } else {
        return;
      }
    }
  }
}
