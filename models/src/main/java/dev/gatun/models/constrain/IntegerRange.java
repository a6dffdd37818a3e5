package dev.gatun.models.constrain;

import java.util.ArrayList;
import java.util.List;

/// The decimal texts of the whole numbers of a range, without leading zeros.
final class IntegerRange {
  private static final Expr DIGIT = new Expr.Chars(CharSet.DIGITS);

  private IntegerRange() {}

  /// Returns what takes the numbers from `min` to `max`, both at most 18 digits long.
  static Expr of(long min, long max) {
    List<Expr> choices = new ArrayList<>();
    if (min < 0) {
      choices.add(Expr.seq(Expr.text("-"), natural(Math.max(1, -max), -min)));
    }
    if (max >= 0) {
      choices.add(natural(Math.max(0, min), max));
    }
    return Expr.alt(choices);
  }

  private static Expr natural(long min, long max) {
    List<Expr> choices = new ArrayList<>();
    long least = 0;
    for (long power = 10; least <= max; power *= 10) { // numbers of one length
      long most = power - 1;
      if (most >= min) {
        choices.add(
            between(Long.toString(Math.max(min, least)), Long.toString(Math.min(max, most))));
      }
      least = power;
    }
    return Expr.alt(choices);
  }

  /// Returns the numbers between two of the same length.
  private static Expr between(String min, String max) {
    if (min.isEmpty()) {
      return Expr.text("");
    }
    char low = min.charAt(0);
    char high = max.charAt(0);
    String minRest = min.substring(1);
    String maxRest = max.substring(1);
    if (low == high) {
      return Expr.seq(digits(low, low), between(minRest, maxRest));
    }
    String nines = "9".repeat(minRest.length());
    String zeros = "0".repeat(minRest.length());
    boolean wholeLow = minRest.equals(zeros);
    boolean wholeHigh = maxRest.equals(nines);
    List<Expr> choices = new ArrayList<>();
    if (!wholeLow) {
      choices.add(Expr.seq(digits(low, low), between(minRest, nines)));
    }
    char from = wholeLow ? low : (char) (low + 1);
    char to = wholeHigh ? high : (char) (high - 1);
    if (from <= to) {
      Expr any = new Expr.Repeat(DIGIT, minRest.length(), minRest.length());
      choices.add(Expr.seq(digits(from, to), any));
    }
    if (!wholeHigh) {
      choices.add(Expr.seq(digits(high, high), between(zeros, maxRest)));
    }
    return Expr.alt(choices);
  }

  private static Expr digits(char first, char last) {
    return new Expr.Chars(CharSet.of(first, last));
  }
}
