package dev.gatun.models.constrain;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The decimal texts of the numbers of a range, without exponents: at most 16 digits in front of
/// the point and 16 behind it.
final class DecimalRange {
  private static final Expr DIGIT = new Expr.Chars(CharSet.DIGITS);
  private static final long MOST = 9_999_999_999_999_999L;

  private DecimalRange() {}

  /// One side of a range.
  ///
  /// @param open whether the value itself is outside
  record Bound(BigDecimal value, boolean open) {
    static final Bound ZERO = new Bound(BigDecimal.ZERO, false);

    Bound negated() {
      return new Bound(value.negate(), open);
    }

    private long whole() {
      return value.setScale(0, RoundingMode.FLOOR).longValueExact();
    }

    /// Returns the digits behind the point, without zeros at their end.
    private String fraction() {
      BigDecimal rest = value.subtract(BigDecimal.valueOf(whole())).stripTrailingZeros();
      return rest.signum() == 0 ? "" : rest.toPlainString().substring(2);
    }
  }

  /// Returns what takes the numbers of a range, or null if there are none.
  ///
  /// @param low least value, or null for none; as `high` of at most 16 digits on each side
  /// @param high largest value, or null for none
  static @Nullable Expr of(@Nullable Bound low, @Nullable Bound high) {
    List<Expr> choices = new ArrayList<>();
    if (low == null || low.value().signum() < 0) {
      Bound aboveZero = new Bound(BigDecimal.ZERO, true); // -0 is 0
      Bound least = high != null && high.value().signum() < 0 ? high.negated() : aboveZero;
      Expr size = natural(least, low == null ? null : low.negated());
      if (size != null) {
        choices.add(Expr.seq(Expr.text("-"), size));
      }
    }
    if (high == null || high.value().signum() >= 0) {
      Bound least = low != null && low.value().signum() >= 0 ? low : Bound.ZERO;
      Expr size = natural(least, high);
      if (size != null) {
        choices.add(size);
      }
    }
    return choices.isEmpty() ? null : Expr.alt(choices);
  }

  private static @Nullable Expr natural(Bound low, @Nullable Bound high) {
    long first = low.whole();
    long last = high == null ? MOST : high.whole();
    String lowDigits = low.fraction();
    @Nullable String highDigits = high == null ? null : high.fraction();
    List<Expr> choices = new ArrayList<>();
    if (first == last) {
      add(choices, first, new Fraction(lowDigits, low.open(), highDigits, isOpen(high)));
    } else if (first < last) {
      add(choices, first, new Fraction(lowDigits, low.open(), null, false));
      if (first + 1 < last) {
        Expr any = Expr.seq(Expr.text("."), new Expr.Repeat(DIGIT, 1, JsonRules.MAX_DIGITS));
        choices.add(Expr.seq(IntegerRange.of(first + 1, last - 1), Expr.optional(any)));
      }
      add(choices, last, new Fraction("", false, highDigits, isOpen(high)));
    }
    return choices.isEmpty() ? null : Expr.alt(choices);
  }

  private static boolean isOpen(@Nullable Bound bound) {
    return bound != null && bound.open();
  }

  private static void add(List<Expr> choices, long whole, Fraction fraction) {
    Expr number = Expr.text(Long.toString(whole));
    if (fraction.takesZero()) {
      choices.add(number);
    }
    Expr digits = fraction.digits(JsonRules.MAX_DIGITS);
    if (digits != null) {
      choices.add(Expr.seq(number, Expr.text("."), digits));
    }
  }

  /// Digits behind a point, or behind some of them, between two others; zeros are understood behind
  /// all three.
  ///
  /// @param high largest digits, or null for none
  private record Fraction(String low, boolean lowOpen, @Nullable String high, boolean highOpen) {
    boolean takesZero() {
      return low.isEmpty() && !lowOpen && !("".equals(high) && highOpen);
    }

    /// Returns one to `most` digits, or null if none fit.
    @Nullable Expr digits(int most) {
      if (most == 0) {
        return null;
      }
      if (low.isEmpty() && !lowOpen && high == null) {
        return new Expr.Repeat(DIGIT, 1, most);
      }
      int least = digit(low);
      int largest = high == null ? 9 : digit(high);
      List<Expr> choices = new ArrayList<>();
      for (int digit = least; digit <= largest; digit++) {
        boolean atLow = digit == least;
        Fraction rest =
            new Fraction(
                atLow ? rest(low) : "",
                atLow && lowOpen,
                high != null && digit == largest ? rest(high) : null,
                highOpen && digit == largest);
        Expr more = rest.digits(most - 1);
        Expr here = new Expr.Chars(CharSet.of('0' + digit, '0' + digit));
        if (rest.takesZero()) {
          choices.add(more == null ? here : Expr.seq(here, Expr.optional(more)));
        } else if (more != null) {
          choices.add(Expr.seq(here, more));
        }
      }
      return choices.isEmpty() ? null : Expr.alt(choices);
    }

    private static int digit(String digits) {
      return digits.isEmpty() ? 0 : digits.charAt(0) - '0';
    }

    private static String rest(String digits) {
      return digits.isEmpty() ? "" : digits.substring(1);
    }
  }
}
