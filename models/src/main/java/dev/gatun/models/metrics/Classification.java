package dev.gatun.models.metrics;

import java.util.HashMap;
import java.util.Map;

/// Scores of predicted classes, as scikit-learn computes them.
///
/// A class is any number. All functions throw an [IllegalArgumentException] if there are no
/// predictions, or not as many as labels.
public final class Classification {
  private Classification() {}

  /// {@return the share of predictions that equal their label, 0 to 1}
  ///
  /// @param predictions predicted classes
  /// @param labels true classes
  public static double accuracy(int[] predictions, int[] labels) {
    Inputs.pairs("accuracy", predictions.length, labels.length);
    long correct = 0;
    for (int i = 0; i < labels.length; i++) {
      correct += predictions[i] == labels[i] ? 1 : 0;
    }
    return (double) correct / labels.length;
  }

  /// Returns the F1 of class 1 among the classes 0 and 1: the harmonic mean of precision and
  /// recall, 0 to 1. It is 0 if no prediction and no label is 1.
  ///
  /// @param predictions predicted classes, 0 or 1
  /// @param labels true classes, 0 or 1
  /// @return the F1
  public static double binaryF1(int[] predictions, int[] labels) {
    Inputs.pairs("binary F1", predictions.length, labels.length);
    checkBinary(predictions);
    checkBinary(labels);
    return counts(predictions, labels).getOrDefault(1, new Counts()).f1();
  }

  /// Returns the mean F1 of all classes that occur, as a prediction or as a label, 0 to 1.
  ///
  /// @param predictions predicted classes
  /// @param labels true classes
  /// @return the mean
  public static double macroF1(int[] predictions, int[] labels) {
    Inputs.pairs("macro F1", predictions.length, labels.length);
    Map<Integer, Counts> counts = counts(predictions, labels);
    double sum = 0;
    for (Counts count : counts.values()) {
      sum += count.f1();
    }
    return sum / counts.size();
  }

  /// Returns the Matthews correlation of any number of classes, -1 to 1. It is 0 if all predictions
  /// are alike, or all labels.
  ///
  /// Source: Gorodkin 2004, Computational Biology and Chemistry 28, "Comparing two K-category
  /// assignments by a K-category correlation coefficient".
  ///
  /// @param predictions predicted classes
  /// @param labels true classes
  /// @return the correlation
  public static double matthews(int[] predictions, int[] labels) {
    Inputs.pairs("Matthews correlation", predictions.length, labels.length);
    double all = labels.length;
    double correct = 0;
    double products = 0;
    double predictedSquares = 0;
    double labelSquares = 0;
    for (Counts count : counts(predictions, labels).values()) {
      correct += count.both;
      products += (double) count.predicted * count.labelled;
      predictedSquares += (double) count.predicted * count.predicted;
      labelSquares += (double) count.labelled * count.labelled;
    }
    double spread = (all * all - predictedSquares) * (all * all - labelSquares);
    return spread == 0 ? 0 : (correct * all - products) / Math.sqrt(spread);
  }

  /// How often one class was predicted, was the label, and both at once.
  private static final class Counts {
    long predicted;
    long labelled;
    long both;

    double f1() {
      return both == 0 ? 0 : 2.0 * both / (predicted + labelled);
    }
  }

  private static Map<Integer, Counts> counts(int[] predictions, int[] labels) {
    Map<Integer, Counts> counts = new HashMap<>();
    for (int i = 0; i < labels.length; i++) {
      Counts predicted = counts.computeIfAbsent(predictions[i], c -> new Counts());
      predicted.predicted++;
      predicted.both += predictions[i] == labels[i] ? 1 : 0;
      counts.computeIfAbsent(labels[i], c -> new Counts()).labelled++;
    }
    return counts;
  }

  private static void checkBinary(int[] classes) {
    for (int i = 0; i < classes.length; i++) {
      if (classes[i] != 0 && classes[i] != 1) {
        throw new IllegalArgumentException(
            "binary F1: found class %d at %d, expected 0 or 1".formatted(classes[i], i));
      }
    }
  }
}
