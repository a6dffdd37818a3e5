package dev.gatun.models.metrics;

import java.util.ArrayList;
import java.util.List;

/// How well confidence and accuracy agree, as a reliability diagram and as one number.
///
/// The bins are of equal width, and bin m of M holds the confidences in `((m - 1) / M, m / M]`; 0
/// goes to the first.
///
/// Source: Guo et al. 2017, arXiv:1706.04599, section 2.
///
/// @param error expected calibration error, 0 to 1: the mean over all predictions of the gap
///   between accuracy and mean confidence of their bin
/// @param bins the bins, from low to high confidence
public record Calibration(double error, List<Bin> bins) {
  /// What probabilities that were computed in float32 or less may be away from 1 in sum, and a log
  /// probability from 0.
  private static final double ROUNDING = 1e-3;

  /// Copies its arguments.
  public Calibration {
    bins = List.copyOf(bins);
  }

  /// Predictions of about the same confidence.
  ///
  /// @param lower confidence above which the bin starts
  /// @param upper confidence it ends with
  /// @param count number of predictions
  /// @param confidence their mean confidence, 0 if there are none
  /// @param accuracy the share that is right, 0 if there are none
  public record Bin(double lower, double upper, int count, double confidence, double accuracy) {}

  /// Computes calibration from each prediction's confidence.
  ///
  /// @param confidences confidence of each prediction, 0 to 1
  /// @param correct whether the prediction is right
  /// @param bins number of bins, at least 1; the paper has 15
  /// @return the calibration
  /// @throws IllegalArgumentException if there are no predictions, not as many of both, no bins, or
  ///   a confidence is not between 0 and 1
  public static Calibration of(double[] confidences, boolean[] correct, int bins) {
    Inputs.pairs("calibration", confidences.length, correct.length);
    if (bins < 1) {
      throw new IllegalArgumentException(
          "calibration: found " + bins + " bins, expected at least 1");
    }
    int[] counts = new int[bins];
    int[] right = new int[bins];
    double[] sums = new double[bins];
    for (int i = 0; i < confidences.length; i++) {
      checkProbability("calibration", i, confidences[i]);
      int bin = bin(confidences[i], bins);
      counts[bin]++;
      right[bin] += correct[i] ? 1 : 0;
      sums[bin] += confidences[i];
    }
    double error = 0;
    List<Bin> list = new ArrayList<>();
    for (int b = 0; b < bins; b++) {
      int divisor = Math.max(counts[b], 1);
      Bin bin =
          new Bin(
              (double) b / bins,
              (double) (b + 1) / bins,
              counts[b],
              sums[b] / divisor,
              (double) right[b] / divisor);
      error += Math.abs(bin.accuracy() - bin.confidence()) * counts[b] / confidences.length;
      list.add(bin);
    }
    return new Calibration(error, list);
  }

  /// Computes calibration from the probabilities of all classes: the first of the most probable is
  /// the prediction, its probability the confidence.
  ///
  /// @param probabilities for each prediction the probability of each class, summing to 1
  /// @param labels true classes
  /// @param bins number of bins, at least 1
  /// @return the calibration
  /// @throws IllegalArgumentException if there are no predictions, not as many as labels, no bins,
  ///   a label is no class, or the probabilities of a prediction are none
  public static Calibration of(double[][] probabilities, int[] labels, int bins) {
    checkProbabilities("calibration", probabilities, labels);
    double[] confidences = new double[labels.length];
    boolean[] correct = new boolean[labels.length];
    for (int i = 0; i < labels.length; i++) {
      double[] row = probabilities[i];
      int best = 0;
      for (int c = 1; c < row.length; c++) {
        best = row[c] > row[best] ? c : best;
      }
      confidences[i] = row[best];
      correct[i] = best == labels[i];
    }
    return of(confidences, correct, bins);
  }

  /// Returns the Brier score, 0 to 2: the mean over the predictions of the squared distance between
  /// the probabilities and the label as 0 and 1, summed over the classes.
  ///
  /// @param probabilities for each prediction the probability of each class, summing to 1
  /// @param labels true classes
  /// @return the score
  /// @throws IllegalArgumentException if there are no predictions, not as many as labels, a label
  ///   is no class, or the probabilities of a prediction are none
  public static double brier(double[][] probabilities, int[] labels) {
    checkProbabilities("Brier score", probabilities, labels);
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      for (int c = 0; c < probabilities[i].length; c++) {
        double distance = probabilities[i][c] - (c == labels[i] ? 1 : 0);
        sum += distance * distance;
      }
    }
    return sum / labels.length;
  }

  /// Returns the mean negative log-likelihood of the labels, in nats. It is infinite if a label has
  /// probability 0.
  ///
  /// @param probabilities for each prediction the probability of each class, summing to 1
  /// @param labels true classes
  /// @return the mean
  /// @throws IllegalArgumentException if there are no predictions, not as many as labels, a label
  ///   is no class, or the probabilities of a prediction are none
  public static double negativeLogLikelihood(double[][] probabilities, int[] labels) {
    checkProbabilities("negative log-likelihood", probabilities, labels);
    double sum = 0;
    for (int i = 0; i < labels.length; i++) {
      sum -= Math.log(probabilities[i][labels[i]]);
    }
    return sum / labels.length;
  }

  /// Returns the perplexity of a text: e to the mean negative log probability of its tokens.
  ///
  /// @param logProbabilities natural logarithm of each token's probability; minus infinity gives an
  ///   infinite result
  /// @return the perplexity, at least 1 up to rounding
  /// @throws IllegalArgumentException if there are no tokens, or a value is above 0 or NaN
  public static double perplexity(double[] logProbabilities) {
    Inputs.pairs("perplexity", logProbabilities.length, logProbabilities.length);
    double sum = 0;
    for (int i = 0; i < logProbabilities.length; i++) {
      if (!(logProbabilities[i] <= ROUNDING)) {
        throw new IllegalArgumentException(
            "perplexity: found log probability %s at %d, expected at most 0"
                .formatted(logProbabilities[i], i));
      }
      sum -= logProbabilities[i];
    }
    return Math.exp(sum / logProbabilities.length);
  }

  /// Returns the first bin whose upper end, as [Bin] gives it, is not below the confidence.
  private static int bin(double confidence, int bins) {
    int bin = Math.clamp((int) Math.ceil(confidence * bins) - 1, 0, bins - 1);
    // the product is rounded, so a confidence at an end may be one bin off
    if (bin > 0 && confidence <= (double) bin / bins) {
      return bin - 1;
    }
    return confidence > (double) (bin + 1) / bins ? bin + 1 : bin;
  }

  private static void checkProbabilities(String metric, double[][] probabilities, int[] labels) {
    Inputs.pairs(metric, probabilities.length, labels.length);
    for (int i = 0; i < labels.length; i++) {
      double sum = 0;
      for (double probability : probabilities[i]) {
        checkProbability(metric, i, probability);
        sum += probability;
      }
      if (Math.abs(sum - 1) > ROUNDING) {
        throw new IllegalArgumentException(
            "%s: found probabilities that sum to %s at %d, expected 1".formatted(metric, sum, i));
      }
      if (labels[i] < 0 || labels[i] >= probabilities[i].length) {
        throw new IllegalArgumentException(
            "%s: found label %d at %d, expected one of %d classes"
                .formatted(metric, labels[i], i, probabilities[i].length));
      }
    }
  }

  private static void checkProbability(String metric, int at, double probability) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new IllegalArgumentException(
          "%s: found probability %s at %d, expected 0 to 1".formatted(metric, probability, at));
    }
  }
}
