package dev.gatun.cli.study;

import dev.gatun.models.metrics.Calibration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one run of a study came to, as `runs.jsonl` keeps it. Losses are means per predicted token
/// in nats, without dropout unless said.
///
/// @param method name of the method
/// @param seed seed of adapter, order and masks
/// @param parameters numbers that were trained
/// @param losses training loss of each step, with dropout
/// @param evaluations held-out losses on the way
/// @param trainLoss loss on the training rows at the end
/// @param evalLoss loss on the held-out rows at the end
/// @param calibration how sure the run is of the likeliest token on the held-out rows
/// @param ensembleLoss held-out loss of the ensemble over the method's instances, where it has some
public record RunRecord(
    String method,
    long seed,
    long parameters,
    List<Double> losses,
    List<Point> evaluations,
    double trainLoss,
    double evalLoss,
    Calibration calibration,
    @Nullable Double ensembleLoss) {
  /// An evaluation.
  ///
  /// @param step steps made before it
  /// @param loss held-out loss
  public record Point(int step, double loss) {}

  /// {@return the lowest held-out loss of the run}
  public double bestLoss() {
    return evaluations.stream().mapToDouble(Point::loss).min().orElse(evalLoss);
  }

  /// {@return how much worse the run is on held-out rows than on those it has seen}
  public double gap() {
    return evalLoss - trainLoss;
  }
}
