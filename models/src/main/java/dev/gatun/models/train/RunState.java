package dev.gatun.models.train;

import java.util.List;
import java.util.Map;

/// What a checkpoint says besides tensors.
///
/// @param step steps made
/// @param epoch where the next step's data begins: pass over the data
/// @param place and step in it
/// @param losses mean cross-entropy of each step so far
/// @param divergences mean half KL divergence of each step so far
/// @param evaluations evaluations so far
/// @param bestStep step of the best evaluation, or -1
/// @param settings the fingerprint of the run's options
public record RunState(
    int step,
    int epoch,
    int place,
    List<Double> losses,
    List<Double> divergences,
    List<TrainResult.Evaluated> evaluations,
    int bestStep,
    Map<String, String> settings) {
  /// Copies the lists and checks the numbers.
  public RunState {
    losses = List.copyOf(losses);
    divergences = List.copyOf(divergences);
    if (epoch < 0 || place < 0 || losses.size() != step || divergences.size() != step) {
      throw new IllegalArgumentException(
          "step %d, epoch %d, place %d, %d losses and %d divergences do not go together"
              .formatted(step, epoch, place, losses.size(), divergences.size()));
    }
    evaluations = List.copyOf(evaluations);
    settings = Map.copyOf(settings);
  }
}
