package dev.gatun.models.task;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Evaluation;

/// A task's file as examples, and how what a model says of them is measured.
public interface TaskSet {
  /// {@return the examples; [dev.gatun.models.data.Example#document] is the row of the file that
  /// each comes from}
  Dataset examples();

  /// {@return how good a model is}
  ///
  /// @param some [#examples] or a part of them, not empty
  /// @param evaluation what the model said of them
  /// @param model the model
  /// @param addition the adapter to go with it
  TaskScores scores(Dataset some, Evaluation evaluation, Transformer model, PassAddition addition);
}
