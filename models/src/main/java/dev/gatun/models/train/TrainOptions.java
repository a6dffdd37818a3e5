package dev.gatun.models.train;

import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.util.LinkedHashMap;
import java.util.Map;

/// The settings of a run that decide its numbers, and how often it looks up.
///
/// @param lossOptions how the loss is computed
/// @param adamW the optimizer
/// @param schedule learning rates; its steps are the run's
/// @param maxGradNorm limit of the gradients' norm; 0 for none
/// @param batches how examples become steps
/// @param evalEvery steps between evaluations; 0 for none before the end
/// @param checkpointEvery steps between checkpoints; 0 for the last alone
/// @param patience evaluations without a better loss after which the run stops; 0 for never
public record TrainOptions(
    LanguageModelLoss.Options lossOptions,
    AdamW.Config adamW,
    Schedule schedule,
    double maxGradNorm,
    BatchOptions batches,
    int evalEvery,
    int checkpointEvery,
    int patience) {
  /// Checks the ranges.
  public TrainOptions {
    if (!(maxGradNorm >= 0)) {
      throw new IllegalArgumentException(
          "max_grad_norm: found " + maxGradNorm + ", expected 0 or more");
    }
    if (evalEvery < 0 || checkpointEvery < 0 || patience < 0) {
      throw new IllegalArgumentException("steps between events: expected 0 or more");
    }
    if (patience > 0 && evalEvery == 0) {
      throw new IllegalArgumentException("early stopping needs evaluations on the way");
    }
  }

  /// {@return options with a constant learning rate, shuffled rows and gradients clipped at norm 1,
  /// without evaluations and checkpoints on the way}
  ///
  /// @param steps optimizer steps
  /// @param learningRate constant rate
  /// @param rows rows of a step
  /// @param dropout the method
  public static TrainOptions of(int steps, double learningRate, int rows, Dropout dropout) {
    return new TrainOptions(
        new LanguageModelLoss.Options(dropout, 0, false, false),
        AdamW.Config.defaults(),
        new Schedule(Schedule.Shape.CONSTANT, learningRate, 0, steps),
        1,
        BatchOptions.shuffled(rows, 0),
        0,
        0,
        0);
  }

  /// {@return the dropout method}
  public Dropout dropout() {
    return lossOptions.dropout();
  }

  /// {@return the number of steps of the whole run}
  public int steps() {
    return schedule.steps();
  }

  /// {@return what must be equal for a run to go on from a checkpoint, by name}
  public Map<String, String> fingerprint() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("dropout", lossOptions.dropout().toString());
    all.put("one-batch", Boolean.toString(lossOptions.oneBatch()));
    if (lossOptions.labelSmoothing() > 0) {
      all.put("label-smoothing", Double.toString(lossOptions.labelSmoothing()));
    }
    all.put("seed", Long.toString(lossOptions.seed()));
    all.put("optimizer", adamW.toString());
    all.put("schedule", schedule.toString());
    all.put("max-grad-norm", Double.toString(maxGradNorm));
    all.put("batches", batches.toString());
    return all;
  }
}
