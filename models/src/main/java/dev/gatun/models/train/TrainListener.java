package dev.gatun.models.train;

import java.nio.file.Path;

/// Watches a run. Called on the training thread, between steps.
@FunctionalInterface
public interface TrainListener {
  /// Is told of each step.
  ///
  /// @param report what the step did
  /// @return whether to go on; a run that is stopped writes a checkpoint first
  boolean onStep(StepReport report);

  /// Is told of each evaluation.
  ///
  /// @param step steps made before it
  /// @param evaluation the result
  default void onEvaluation(int step, Evaluation evaluation) {}

  /// Is told of each checkpoint.
  ///
  /// @param step steps made before it
  /// @param file the checkpoint
  default void onCheckpoint(int step, Path file) {}
}
