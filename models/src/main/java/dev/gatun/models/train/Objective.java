package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Loss;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is learnt of a model's last activations: which of them are read, what a branch's loss is,
/// and how far two branches are apart.
sealed interface Objective permits NextTokens, TaskObjective {
  /// What a model says of a batch.
  ///
  /// @param loss sum of the losses
  /// @param outputs the head's outputs for each sequence, row by row; none where tokens are learnt
  record Said(double loss, List<float[]> outputs) {}

  /// Returns what a model's head is for.
  ///
  /// @throws IllegalArgumentException if it has none
  static Objective of(Transformer model) {
    return switch (model) {
      case CausalLm lm -> new NextTokens(lm);
      case TaskModel task -> new TaskObjective(task);
      default ->
          throw new IllegalArgumentException(
              "loss: found a " + model.modelType() + " without a head, expected one with a head");
    };
  }

  /// Returns whether the head alone reads a weight, so that each run of a pass may have its own.
  boolean isOfHead(Param weight);

  /// Returns the loss of one branch plus, where the method asks for it, its divergence from
  /// another. Both are sums over labels and draws, scaled in the total alone.
  ///
  /// @param scope owner of the total; a tape to differentiate
  /// @param first the branch that the task's loss is of, under one draw or several
  /// @param second the other branch, under as many, or null
  /// @param batch at least one label
  /// @param scale factor of both sums in the total
  /// @param options the run's
  Loss.Value value(
      Scope scope,
      Reading first,
      @Nullable Reading second,
      Batch batch,
      double scale,
      LanguageModelLoss.Options options);

  /// Returns what the mean over several draws says of a batch, without a gradient.
  ///
  /// @param scope for temporaries
  /// @param draws one draw or several
  /// @param batch at least one label
  /// @param average what the mean is taken of
  Said say(Scope scope, Reading draws, Batch batch, Evaluation.Average average);
}
