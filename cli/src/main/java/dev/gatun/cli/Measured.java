package dev.gatun.cli;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.TaskSet;
import dev.gatun.models.train.Evaluation;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An evaluation with what the metrics of a task make of it.
///
/// @param evaluation the evaluation
/// @param metrics the metrics, or null where there is no task
record Measured(Evaluation evaluation, @Nullable Map<String, Double> metrics) {
  /// Measures by a task's metrics.
  ///
  /// @param measure the file that the rows come from, or null where there is no task
  /// @param rows what was evaluated
  static Measured of(
      @Nullable TaskSet measure,
      Dataset rows,
      Evaluation evaluation,
      Transformer model,
      PassAddition addition) {
    return new Measured(
        evaluation,
        measure == null ? null : measure.scores(rows, evaluation, model, addition).metrics());
  }

  /// Returns the loss and what is made of it in words.
  String line() {
    if (metrics == null) {
      return "perplexity %.3f (loss %.4f over %,d tokens)"
          .formatted(evaluation.perplexity(), evaluation.loss(), evaluation.tokens());
    }
    StringBuilder line = new StringBuilder();
    metrics.forEach(
        (name, value) -> line.append(String.format(Locale.ROOT, "%s %.4g, ", name, value)));
    return line.append("loss %.4f over %,d".formatted(evaluation.loss(), evaluation.tokens()))
        .toString();
  }

  /// Returns the metrics for JSON: null for one that is not defined.
  @Nullable Map<String, @Nullable Double> fields() {
    if (metrics == null) {
      return null;
    }
    Map<String, @Nullable Double> fields = new LinkedHashMap<>();
    metrics.forEach((name, value) -> fields.put(name, Double.isFinite(value) ? value : null));
    return fields;
  }
}
