package dev.gatun.cli.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// One axis of a chart: a range and the ticks on it.
///
/// @param min value at position 0
/// @param max value at position 1, above `min`
/// @param logarithmic whether positions follow the logarithm
/// @param ticks ascending
record Axis(double min, double max, boolean logarithmic, List<Tick> ticks) {
  private static final String[] THOUSANDS = {"", "k", "M", "G", "T", "P"};

  /// A tick.
  record Tick(double value, String label) {}

  /// The position of a value, 0 at `min` and 1 at `max`.
  double position(double value) {
    return logarithmic
        ? (Math.log10(value) - Math.log10(min)) / (Math.log10(max) - Math.log10(min))
        : (value - min) / (max - min);
  }

  /// A linear axis whose ends are ticks, for values.
  static Axis rounded(double low, double high, int intervals) {
    if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) {
      double room = low == 0 ? 1 : Math.abs(low) / 2;
      return rounded(low - (low == 0 ? 0 : room), high + room, intervals);
    }
    BigDecimal step = niceStep((high - low) / intervals);
    long first = (long) Math.floor(low / step.doubleValue() + 1e-9);
    long last = (long) Math.ceil(high / step.doubleValue() - 1e-9);
    List<Tick> ticks = multiples(step, first, last);
    return new Axis(ticks.getFirst().value(), ticks.getLast().value(), false, ticks);
  }

  /// A linear axis that ends where the values end, with whole ticks, for steps.
  static Axis exact(double low, double high, int intervals) {
    BigDecimal step = niceStep(Math.max((high - low) / intervals, 1));
    long first = (long) Math.ceil(low / step.doubleValue());
    long last = (long) Math.floor(high / step.doubleValue());
    return new Axis(low, high, false, multiples(step, first, last));
  }

  /// A logarithmic axis.
  ///
  /// @param low above 0
  /// @param high above `low`
  static Axis decades(double low, double high) {
    int first = (int) Math.floor(Math.log10(low));
    int last = (int) Math.floor(Math.log10(high));
    int every = Math.ceilDiv(last - first + 1, 7);
    int[] mantissas = last - first <= 2 ? new int[] {1, 2, 5} : new int[] {1};
    List<Tick> ticks = new ArrayList<>();
    for (int decade = first; decade <= last; decade += every) {
      for (int mantissa : mantissas) {
        BigDecimal value = BigDecimal.valueOf(mantissa, -decade);
        if (value.doubleValue() >= low && value.doubleValue() <= high) {
          ticks.add(new Tick(value.doubleValue(), label(value, value)));
        }
      }
    }
    return new Axis(low, high, true, List.copyOf(ticks));
  }

  private static List<Tick> multiples(BigDecimal step, long first, long last) {
    BigDecimal largest =
        step.multiply(BigDecimal.valueOf(Math.max(Math.abs(first), Math.abs(last))));
    List<Tick> ticks = new ArrayList<>();
    for (long i = first; i <= last; i++) {
      BigDecimal value = step.multiply(BigDecimal.valueOf(i));
      ticks.add(new Tick(value.doubleValue(), label(value, largest)));
    }
    return List.copyOf(ticks);
  }

  /// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `least`.
  private static BigDecimal niceStep(double least) {
    int exponent = (int) Math.floor(Math.log10(least));
    for (String mantissa : new String[] {"1", "2", "2.5", "5"}) {
      BigDecimal step = new BigDecimal(mantissa).scaleByPowerOfTen(exponent);
      boolean halfStep = mantissa.equals("2.5") && exponent == 0; // steps come whole
      if (!halfStep && step.doubleValue() >= least * (1 - 1e-9)) {
        return step;
      }
    }
    return BigDecimal.ONE.scaleByPowerOfTen(exponent + 1);
  }

  private static String label(BigDecimal value, BigDecimal largest) {
    double size = largest.abs().doubleValue();
    if (size != 0 && (size < 1e-2 || size >= 1e17)) {
      return Figures.scientific(value);
    }
    int group = 0;
    while (size >= 1e4 && size >= Math.pow(1000, group + 1)) {
      group++;
    }
    BigDecimal scaled =
        value.movePointLeft(3 * group).round(new MathContext(6)).stripTrailingZeros();
    if (scaled.signum() == 0) {
      return "0";
    }
    int decimals = Math.max(0, scaled.scale());
    return Figures.sign(String.format(Locale.ROOT, "%,." + decimals + "f", scaled))
        + THOUSANDS[group];
  }
}
