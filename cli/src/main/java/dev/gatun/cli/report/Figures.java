package dev.gatun.cli.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/// Numbers as a reader wants them: few digits, English grouping, the same on every machine.
final class Figures {
  private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Figures() {}

  /// Four significant digits: `2.519`, `12,410`, `3.1e-5`.
  static String of(double value) {
    if (Double.isNaN(value)) {
      return "not a number";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "∞" : "−∞";
    }
    double size = Math.abs(value);
    if (size == 0) {
      return "0";
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(4));
    if (size < 1e-3 || size >= 1e9) {
      return scientific(rounded);
    }
    int decimals = Math.max(0, 4 - (rounded.precision() - rounded.scale()));
    return sign(String.format(Locale.ROOT, "%,." + decimals + "f", value));
  }

  /// As [#of], without trailing zeros: `2.4`.
  static String trimmed(double value) {
    String number = of(value);
    return number.contains(".") && !number.contains("e")
        ? number.replaceFirst("\\.?0+$", "")
        : number;
  }

  /// A decimal in the shortest scientific form: `2e-4`, `1.5e-4`.
  static String scientific(BigDecimal value) {
    if (value.signum() == 0) {
      return "0";
    }
    int exponent = value.precision() - value.scale() - 1;
    String mantissa = value.scaleByPowerOfTen(-exponent).stripTrailingZeros().toPlainString();
    return sign(mantissa) + "e" + sign(Integer.toString(exponent));
  }

  /// A whole number with grouping: `4,213,760`.
  static String count(long value) {
    return sign(String.format(Locale.ROOT, "%,d", value));
  }

  /// A share of `whole` in percent, or an empty text where there is no whole.
  static String percent(double part, double whole) {
    if (whole == 0 || !Double.isFinite(part / whole)) {
      return "";
    }
    double percent = 100 * part / whole;
    int decimals = Math.abs(percent) >= 10 || percent == 0 ? 1 : Math.abs(percent) >= 0.1 ? 2 : 4;
    return sign(String.format(Locale.ROOT, "%." + decimals + "f %%", percent));
  }

  /// Bytes with a binary unit: `312 MiB`.
  static String bytes(long value) {
    int unit = 0;
    double scaled = value;
    while (Math.abs(scaled) >= 1024 && unit < BYTE_UNITS.length - 1) {
      scaled /= 1024;
      unit++;
    }
    int decimals = unit == 0 || Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
    return sign(String.format(Locale.ROOT, "%." + decimals + "f ", scaled)) + BYTE_UNITS[unit];
  }

  /// A wall time: `12.3 s`, `1 min 23 s`, `2 h 05 min`.
  static String duration(double seconds) {
    if (!(seconds >= 0 && seconds < 1e12)) {
      return "";
    }
    if (seconds < 59.95) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%,d h %02d min", whole / 3600, whole % 3600 / 60);
  }

  /// Puts the minus sign, which is as wide as a digit, for the hyphen.
  static String sign(String number) {
    return number.startsWith("-") ? "−" + number.substring(1) : number;
  }
}
