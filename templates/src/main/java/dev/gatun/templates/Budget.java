package dev.gatun.templates;

/// What one rendering may use. A template that wants more fails, whatever it does.
final class Budget {
  static final long STEPS = 10_000_000;
  static final long CHARS = 64L << 20;
  static final int DEPTH = 600;

  private long steps;
  private long chars;
  private int depth;

  /// Counts one node, loop step or compared element.
  void step() {
    steps(1);
  }

  /// Counts elements of a list that is made or walked through.
  void steps(long count) {
    steps += count;
    if (steps > STEPS) {
      throw new TemplateException("found more than " + STEPS + " steps, expected fewer");
    }
  }

  /// Counts a string's characters that are read.
  void reads(String text) {
    steps(text.length() >> 4);
  }

  /// Counts a search, which may compare the part at each place.
  void searches(String text, String part) {
    steps(1 + (((long) text.length() * part.length()) >> 6));
  }

  /// Counts characters of a string before it is made.
  void chars(long count) {
    chars += count;
    if (chars > CHARS) {
      throw new TemplateException("found more than " + CHARS + " characters made, expected fewer");
    }
  }

  void enter() {
    if (++depth > DEPTH) {
      throw new TemplateException("found more than " + DEPTH + " levels, expected fewer");
    }
  }

  void leave() {
    depth--;
  }
}
