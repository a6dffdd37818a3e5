package dev.gatun.cli.study;

import java.util.Arrays;
import org.apache.commons.statistics.inference.WilcoxonSignedRankTest;

/// A figure over the seeds of a method.
///
/// @param mean arithmetic mean
/// @param median middle value
/// @param deviation standard deviation with n - 1; not a number for one value
public record Statistics(double mean, double median, double deviation) {
  static Statistics of(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    double mean = Arrays.stream(sorted).sum() / n;
    double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    double squares = Arrays.stream(sorted).map(v -> (v - mean) * (v - mean)).sum();
    return new Statistics(mean, median, Math.sqrt(squares / (n - 1)));
  }

  /// Returns the two-sided p-value of Wilcoxon's signed-rank test of paired values; not a number
  /// where fewer than two pairs differ, or a value is none.
  static double pairedP(double[] ours, double[] baseline) {
    int differing = 0;
    boolean undefined = false;
    for (int i = 0; i < ours.length; i++) {
      differing += ours[i] == baseline[i] ? 0 : 1;
      undefined |= Double.isNaN(ours[i] - baseline[i]);
    }
    return differing < 2 || undefined
        ? Double.NaN
        : WilcoxonSignedRankTest.withDefaults().test(ours, baseline).getPValue();
  }
}
