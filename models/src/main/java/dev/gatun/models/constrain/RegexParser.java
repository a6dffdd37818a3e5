package dev.gatun.models.constrain;

import java.util.ArrayList;
import java.util.List;

/// Reads the part of regular expressions that describes texts and nothing else.
final class RegexParser {
  private static final CharSet WORD =
      CharSet.of('a', 'z').plus('A', 'Z').plus('0', '9').plus('_', '_');
  private static final CharSet SPACE = CharSet.of(" \t\n\r\f\013");
  private static final Expr ANYTHING =
      new Expr.Repeat(new Expr.Chars(CharSet.ALL), 0, Expr.Repeat.UNBOUNDED);

  private final Scanner in;

  private RegexParser(Scanner in) {
    this.in = in;
  }

  /// Returns what takes texts that an expression matches from end to end.
  static Expr whole(String kind, String regex) {
    return new RegexParser(new Scanner(kind, regex)).outermost(false);
  }

  /// Returns what takes texts in which an expression is found.
  static Expr found(String kind, String regex) {
    return new RegexParser(new Scanner(kind, regex)).outermost(true);
  }

  private Expr outermost(boolean anywhere) {
    List<Expr> choices = new ArrayList<>();
    do {
      List<Expr> parts = new ArrayList<>();
      if (!in.takeIf('^') && anywhere) {
        parts.add(ANYTHING);
      }
      parts.add(sequence());
      if (!in.takeIf('$') && anywhere) {
        parts.add(ANYTHING);
      }
      choices.add(Expr.seq(parts));
    } while (in.takeIf('|'));
    if (!in.atEnd()) {
      throw in.wrong("a part of a regular expression that is supported");
    }
    return Expr.alt(choices);
  }

  private Expr alternatives() {
    List<Expr> choices = new ArrayList<>();
    do {
      choices.add(sequence());
    } while (in.takeIf('|'));
    return Expr.alt(choices);
  }

  private Expr sequence() {
    List<Expr> parts = new ArrayList<>();
    while (true) {
      Expr part;
      switch (in.peek()) {
        case Scanner.END, '|', ')', '^', '$', '*', '+', '?', '{', '}', ']' -> {
          return Expr.seq(parts);
        }
        case '(' -> part = group();
        case '[' -> part = new Expr.Chars(set());
        case '.' -> {
          in.expect('.');
          part = new Expr.Chars(CharSet.of('\n', '\n').complement());
        }
        default -> part = new Expr.Chars(character());
      }
      parts.add(in.repeated(part)); // another quantifier behind it stops the sequence
    }
  }

  private Expr group() {
    in.expect('(');
    in.enter();
    if (in.takeIf('?')) {
      in.expect(':');
    }
    Expr inner = alternatives();
    in.expect(')');
    in.leave();
    return inner;
  }

  private CharSet set() {
    int start = in.position();
    in.expect('[');
    boolean negated = in.takeIf('^');
    CharSet set = CharSet.NONE;
    List<int[]> ranges = new ArrayList<>();
    do {
      if (in.peek() == '[' || (in.peek() == '&' && in.peek(1) == '&')) {
        throw in.wrong("it escaped");
      }
      if (in.peek() == ']') {
        throw in.wrong("a set with characters, or it escaped");
      }
      CharSet first = character();
      if (in.peek() == '-' && in.peek(1) != ']') {
        in.expect('-');
        CharSet last = character();
        int[] range = {only(first, start), only(last, start)};
        if (range[1] < range[0]) {
          throw Refusal.of(
              in.place(start), "a range that runs backwards", "the lower character first");
        }
        ranges.add(range);
      } else if (first.ranges().size() == 1) {
        ranges.add(first.ranges().getFirst());
      } else {
        set = set.plus(first);
      }
    } while (!in.takeIf(']'));
    set = set.plus(CharSet.ofRanges(ranges));
    CharSet taken = negated ? set.complement() : set;
    if (taken.isEmpty()) {
      throw Refusal.of(in.place(start), "a set without characters", "at least one");
    }
    return taken;
  }

  private int only(CharSet set, int start) {
    int[] range = set.ranges().getFirst();
    if (set.ranges().size() > 1 || range[0] != range[1]) {
      throw Refusal.of(in.place(start), "a class at the end of a range", "a character");
    }
    return range[0];
  }

  private CharSet character() {
    int c = in.take("a character");
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      throw Refusal.of(in.place(), "half a surrogate pair", "whole characters");
    }
    if (c != '\\') {
      return CharSet.of(c, c);
    }
    int escaped = in.take("an escape");
    return switch (escaped) {
      case 'd' -> CharSet.DIGITS;
      case 'D' -> CharSet.DIGITS.complement();
      case 'w' -> WORD;
      case 'W' -> WORD.complement();
      case 's' -> SPACE;
      case 'S' -> SPACE.complement();
      case 'n' -> CharSet.of("\n");
      case 'r' -> CharSet.of("\r");
      case 't' -> CharSet.of("\t");
      case 'f' -> CharSet.of("\f");
      case 'v' -> CharSet.of("\013");
      case 'x' -> one(in.hex(2));
      case 'u' -> one(in.hex(4));
      default -> {
        if (Character.isLetterOrDigit(escaped) || escaped == '_') {
          throw Refusal.of(
              in.place(),
              "\"\\" + Character.toString(escaped) + "\"",
              "an escape that is supported");
        }
        yield one(escaped);
      }
    };
  }

  private static CharSet one(int character) {
    return CharSet.of(character, character);
  }
}
