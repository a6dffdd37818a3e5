package dev.gatun.models.task;

import dev.gatun.models.metrics.Calibration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How good a model is at a task.
///
/// @param metrics by their names in Hugging Face's `evaluate`, the task's own first; NaN where a
///   metric is not defined
/// @param calibration how sure the model is of what it chooses, where it chooses among classes or
///   answers; else null
public record TaskScores(Map<String, Double> metrics, @Nullable Calibration calibration) {
  /// Copies the map, in its order.
  public TaskScores {
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
  }
}
