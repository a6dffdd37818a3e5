package dev.gatun.models.nn;

import java.util.List;
import java.util.Locale;

/// What a head is for.
///
/// @param kind the kind of task
/// @param labels names of the outputs, in their order
public record Task(Kind kind, List<String> labels) {
  /// Kinds of tasks.
  public enum Kind {
    /// One of several classes for each sequence: an output for each class.
    CLASSIFICATION,
    /// A number for each sequence: one output.
    REGRESSION,
    /// The part of a sequence that answers a question: a score as its start and one as its end for
    /// each token.
    QUESTION_ANSWERING
  }

  /// Checks and copies its arguments.
  public Task {
    labels = List.copyOf(labels);
    int least = kind == Kind.CLASSIFICATION ? 2 : 1;
    if (labels.size() < least) {
      throw new IllegalArgumentException(
          "%s: found %d labels, expected %d or more"
              .formatted(kind.name().toLowerCase(Locale.ROOT), labels.size(), least));
    }
  }

  /// {@return the classification of sequences}
  ///
  /// @param labels names of two or more classes, by their number
  public static Task classification(List<String> labels) {
    return new Task(Kind.CLASSIFICATION, labels);
  }

  /// {@return the regression of one number}
  ///
  /// @param label name of the number
  public static Task regression(String label) {
    return new Task(Kind.REGRESSION, List.of(label));
  }

  /// {@return extractive question answering}
  public static Task questionAnswering() {
    return new Task(Kind.QUESTION_ANSWERING, List.of("start", "end"));
  }

  /// {@return whether the outputs are of sequences, not of tokens}
  public boolean isOfSequences() {
    return kind != Kind.QUESTION_ANSWERING;
  }

  /// {@return the number of outputs of a sequence or token}
  public int outputs() {
    return labels.size();
  }

  /// {@return the probabilities of classes that exclude each other}
  ///
  /// @param outputs an output of each class
  public static double[] softmax(float... outputs) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float output : outputs) {
      largest = Math.max(largest, output);
    }
    double[] p = new double[outputs.length];
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(outputs[i] - largest);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  /// {@return PEFT's name of the task}
  public String peftType() {
    return isOfSequences() ? "SEQ_CLS" : "QUESTION_ANS";
  }
}
