package dev.gatun.models.train;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a run did, from its first step on, whatever was resumed between.
///
/// @param end why it ended
/// @param steps steps made
/// @param losses mean loss of each step: cross-entropy, or what the task has
/// @param divergences mean divergence of each step's branches
/// @param evaluations evaluations on the way
/// @param best evaluation whose weights are kept, or null without early stopping
/// @param tokensPerSecond tokens of a step over the median step time, the first two steps left out
public record TrainResult(
    End end,
    int steps,
    List<Double> losses,
    List<Double> divergences,
    List<Evaluated> evaluations,
    @Nullable Evaluated best,
    double tokensPerSecond) {
  /// Why a run ended.
  public enum End {
    /// All steps were made.
    COMPLETED,
    /// The held-out loss stopped falling.
    STOPPED_EARLY,
    /// A listener asked for it; the run can be resumed.
    CANCELLED
  }

  /// An evaluation and when it was made.
  ///
  /// @param step steps made before it
  /// @param loss as in [Evaluation]
  /// @param tokens predicted tokens, or rows with a label
  public record Evaluated(int step, double loss, long tokens) {}

  /// Copies the lists.
  public TrainResult {
    losses = List.copyOf(losses);
    divergences = List.copyOf(divergences);
    evaluations = List.copyOf(evaluations);
  }
}
