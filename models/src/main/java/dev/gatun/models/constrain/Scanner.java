package dev.gatun.models.constrain;

/// Reads a grammar character by character and knows its place in it, for messages.
final class Scanner {
  static final int END = -1;
  static final int MAX_DEPTH = 64;
  static final int MAX_COUNT = 100_000;

  private final String kind;
  private final int[] text;
  private int position;
  private int depth;

  Scanner(String kind, String text) {
    this.kind = kind;
    this.text = text.codePoints().toArray();
  }

  /// Returns the next character without taking it, or [#END].
  int peek() {
    return peek(0);
  }

  int peek(int ahead) {
    return position + ahead < text.length ? text[position + ahead] : END;
  }

  boolean atEnd() {
    return peek() == END;
  }

  /// Takes a character, which must be there.
  int take(String expected) {
    if (atEnd()) {
      throw wrong(expected);
    }
    return text[position++];
  }

  boolean takeIf(int character) {
    if (peek() != character) {
      return false;
    }
    position++;
    return true;
  }

  boolean takeIf(String word) {
    for (int i = 0; i < word.length(); i++) {
      if (peek(i) != word.charAt(i)) {
        return false;
      }
    }
    position += word.length();
    return true;
  }

  void expect(int character) {
    if (!takeIf(character)) {
      throw wrong("\"" + Character.toString(character) + "\"");
    }
  }

  int position() {
    return position;
  }

  void backTo(int earlier) {
    position = earlier;
  }

  /// Goes into a group.
  void enter() {
    if (++depth > MAX_DEPTH) {
      throw Refusal.of(place(), "groups deeper than " + MAX_DEPTH, "fewer");
    }
  }

  void leave() {
    depth--;
  }

  /// Takes so many hexadecimal digits and returns their character.
  int hex(int digits) {
    int start = position;
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(peek() > 'f' ? END : peek(), 16);
      if (digit < 0) {
        throw wrong(digits + " hexadecimal digits");
      }
      value = value << 4 | digit;
      position++;
    }
    boolean surrogate = value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE;
    if (!Character.isValidCodePoint(value) || surrogate) {
      position = start;
      throw wrong("the number of a character");
    }
    return value;
  }

  boolean atQuantifier() {
    return peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{';
  }

  /// Takes what follows a part: `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}` or nothing.
  Expr repeated(Expr part) {
    if (takeIf('*')) {
      return new Expr.Repeat(part, 0, Expr.Repeat.UNBOUNDED);
    }
    if (takeIf('+')) {
      return new Expr.Repeat(part, 1, Expr.Repeat.UNBOUNDED);
    }
    if (takeIf('?')) {
      return Expr.optional(part);
    }
    if (!takeIf('{')) {
      return part;
    }
    int min = count();
    int max = min;
    if (takeIf(',')) {
      max = peek() == '}' ? Expr.Repeat.UNBOUNDED : count();
    }
    if (max != Expr.Repeat.UNBOUNDED && max < min) {
      throw wrong("a count from " + min);
    }
    expect('}');
    return new Expr.Repeat(part, min, max);
  }

  private int count() {
    int start = position;
    int value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = 10 * value + text[position++] - '0';
      if (value > MAX_COUNT) {
        throw wrong("a count of at most " + MAX_COUNT);
      }
    }
    if (position == start) {
      throw wrong("a count");
    }
    return value;
  }

  IllegalArgumentException wrong(String expected) {
    String found = atEnd() ? "the end" : "\"" + Character.toString(peek()) + "\"";
    return Refusal.of(place(), found, expected);
  }

  String place() {
    return place(position);
  }

  /// Returns the place of an earlier position.
  String place(int at) {
    int line = 1;
    int column = 1;
    boolean lines = false;
    for (int i = 0; i < text.length; i++) {
      lines |= text[i] == '\n';
      if (i < at) {
        column = text[i] == '\n' ? 1 : column + 1;
        line += text[i] == '\n' ? 1 : 0;
      }
    }
    return kind + ": " + (lines ? "line " + line + ", column " : "character ") + column;
  }
}
