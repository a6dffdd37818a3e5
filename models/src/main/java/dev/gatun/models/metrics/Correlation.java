package dev.gatun.models.metrics;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Correlation of predicted numbers with the true ones, as SciPy computes it.
///
/// Both functions return -1 to 1, or NaN if all predictions are alike or all labels: there is no
/// correlation with a constant. They throw an [IllegalArgumentException] if there are fewer than
/// two predictions, not as many as labels, or a value is not finite.
public final class Correlation {
  private Correlation() {}

  /// {@return Pearson's correlation}
  ///
  /// @param predictions predicted values
  /// @param labels true values
  public static double pearson(double[] predictions, double[] labels) {
    check("Pearson correlation", predictions, labels);
    return product(predictions, labels);
  }

  /// {@return Spearman's correlation: Pearson's of the ranks, where equal values share their mean
  /// rank}
  ///
  /// @param predictions predicted values
  /// @param labels true values
  public static double spearman(double[] predictions, double[] labels) {
    check("Spearman correlation", predictions, labels);
    return product(ranks(predictions), ranks(labels));
  }

  private static void check(String metric, double[] predictions, double[] labels) {
    Inputs.pairs(metric, predictions.length, labels.length);
    if (labels.length < 2) {
      throw new IllegalArgumentException(metric + ": found 1 prediction, expected at least 2");
    }
    Inputs.finite(metric + ", predictions", predictions);
    Inputs.finite(metric + ", labels", labels);
  }

  private static double product(double[] x, double[] y) {
    double[] a = deviations(x);
    double[] b = deviations(y);
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    // Rounding may end just outside.
    return Math.clamp(sum, -1, 1);
  }

  /// Returns the differences from the mean, divided by their norm; NaN throughout for a constant.
  private static double[] deviations(double[] values) {
    double mean = 0;
    boolean constant = true;
    for (double value : values) {
      mean += value / values.length;
      constant &= value == values[0];
    }
    double[] deviations = new double[values.length];
    double largest = 0;
    for (int i = 0; i < values.length; i++) {
      // the mean of equal values may be rounded, so their differences need not be 0
      deviations[i] = constant ? Double.NaN : values[i] - mean;
      largest = Math.max(largest, Math.abs(deviations[i]));
    }
    double squares = 0;
    for (double deviation : deviations) {
      // divided first: a square may leave the range of a double where the value does not
      squares += (deviation / largest) * (deviation / largest);
    }
    double norm = Math.sqrt(squares);
    for (int i = 0; i < deviations.length; i++) {
      deviations[i] = deviations[i] / largest / norm;
    }
    return deviations;
  }

  private static double[] ranks(double[] values) {
    List<Integer> order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .toList();
    double[] ranks = new double[values.length];
    for (int start = 0, end; start < values.length; start = end) {
      end = start + 1;
      while (end < values.length && values[order.get(end)] == values[order.get(start)]) {
        end++;
      }
      for (int i = start; i < end; i++) {
        ranks[order.get(i)] = (start + end - 1) / 2.0;
      }
    }
    return ranks;
  }
}
