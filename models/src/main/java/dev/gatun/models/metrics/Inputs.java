package dev.gatun.models.metrics;

import java.util.List;

/// What every metric asks of its arguments.
final class Inputs {
  private Inputs() {}

  /// Refuses nothing at all, or two lists of different lengths.
  ///
  /// @param metric name for the message
  /// @param found number of predictions
  /// @param expected number of what they are compared with
  static void pairs(String metric, int found, int expected) {
    if (found == 0) {
      throw new IllegalArgumentException(metric + ": found no predictions, expected some");
    }
    if (found != expected) {
      throw new IllegalArgumentException(
          "%s: found %d predictions, expected %d, one for each label"
              .formatted(metric, found, expected));
    }
  }

  /// Refuses nothing at all, lists of different lengths, or a hypothesis without a reference.
  static void texts(String metric, List<String> hypotheses, List<List<String>> references) {
    if (hypotheses.isEmpty()) {
      throw new IllegalArgumentException(metric + ": found no texts, expected some");
    }
    if (hypotheses.size() != references.size()) {
      throw new IllegalArgumentException(
          "%s: found %d texts, expected %d, one for each list of references"
              .formatted(metric, hypotheses.size(), references.size()));
    }
    for (int i = 0; i < references.size(); i++) {
      references(metric + ": text " + i, references.get(i));
    }
  }

  /// Refuses an empty list of references.
  static void references(String what, List<String> references) {
    if (references.isEmpty()) {
      throw new IllegalArgumentException(what + ": found no references, expected at least one");
    }
  }

  /// Refuses infinite values and those that are no number.
  static void finite(String metric, double[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new IllegalArgumentException(
            "%s: found %s at %d, expected a finite number".formatted(metric, values[i], i));
      }
    }
  }
}
