package dev.gatun.cli.study;

import dev.gatun.models.metrics.Calibration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What one run of a study came to, as `runs.jsonl` keeps it. Losses are means per predicted token
/// in nats, or per row of a task that has a head; without dropout unless said.
///
/// @param method name of the method
/// @param seed seed of adapter, order and masks
/// @param parameters numbers that were trained
/// @param losses training loss of each step, with dropout
/// @param evaluations held-out losses on the way
/// @param trainLoss loss on the training rows at the end
/// @param evalLoss loss on the held-out rows at the end
/// @param metrics the task's metrics on the held-out rows at the end; none without a task
/// @param calibration how sure the run is of what it holds for likeliest on the held-out rows, the
///   next token, a class or an answer; null where it chooses none
/// @param ensembleLoss held-out loss of the ensemble over the method's instances, where it has some
/// @param ensembleMetrics the ensemble's metrics, where the task has a head
public record RunRecord(
    String method,
    long seed,
    long parameters,
    List<Double> losses,
    List<Point> evaluations,
    double trainLoss,
    double evalLoss,
    Map<String, Double> metrics,
    @Nullable Calibration calibration,
    @Nullable Double ensembleLoss,
    Map<String, Double> ensembleMetrics) {
  /// Copies what is given.
  public RunRecord {
    losses = List.copyOf(losses);
    evaluations = List.copyOf(evaluations);
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    ensembleMetrics = Collections.unmodifiableMap(new LinkedHashMap<>(ensembleMetrics));
  }

  /// An evaluation.
  ///
  /// @param step steps made before it
  /// @param loss held-out loss
  /// @param metric the recipe's metric; null without a task, and on the way where it takes texts or
  ///   answers
  public record Point(int step, double loss, @Nullable Double metric) {}

  /// {@return the lowest held-out loss of the run}
  public double bestLoss() {
    return evaluations.stream().mapToDouble(Point::loss).min().orElse(evalLoss);
  }

  /// {@return how much worse the run is on held-out rows than on those it has seen}
  public double gap() {
    return evalLoss - trainLoss;
  }
}
