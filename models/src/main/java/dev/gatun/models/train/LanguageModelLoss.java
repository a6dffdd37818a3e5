package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Loss;
import java.util.List;

/// The loss of what a model's head is for over one batch, under a dropout method.
///
/// @param model the model: a language model, or one with the head of a task
/// @param addition what goes with it
/// @param options how it is computed
public record LanguageModelLoss(Transformer model, PassAddition addition, Options options) {
  /// How the loss is computed.
  ///
  /// @param dropout the method; [Dropout#NONE] for evaluation
  /// @param seed seed of the masks
  /// @param checkpointing whether a layer's activations are computed again for its gradient, not
  ///   saved
  /// @param oneBatch whether HiddenKey's two branches run as one batch of twice the rows
  /// @param labelSmoothing share of the target that all tokens or classes divide, from 0 to below
  ///   1; of classes and tokens alone. As the LoRA paper's experiments have it, (1 - s) times the
  ///   cross-entropy of the label plus s times the mean of those of all
  public record Options(
      Dropout dropout, long seed, boolean checkpointing, boolean oneBatch, double labelSmoothing) {
    /// Checks the range.
    public Options {
      if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
        throw new IllegalArgumentException(
            "label smoothing: found " + labelSmoothing + ", expected 0 or more and below 1");
      }
    }

    /// Options without label smoothing.
    ///
    /// @param dropout the method
    /// @param seed seed of the masks
    /// @param checkpointing whether a layer's activations are computed again for its gradient
    /// @param oneBatch whether HiddenKey's two branches run as one batch
    public Options(Dropout dropout, long seed, boolean checkpointing, boolean oneBatch) {
      this(dropout, seed, checkpointing, oneBatch, 0);
    }

    /// Options for evaluation: no dropout.
    public static final Options EVALUATION = new Options(Dropout.NONE, 0, false, false);
  }

  /// {@return the loss, scaled}
  ///
  /// Branches and instances of the masks start at the first masked layer from the activation that
  /// they share.
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param batch at least one label
  /// @param step optimizer step, for the masks
  /// @param scale 1 / labels of the whole optimizer step
  public Loss.Value of(Scope scope, Batch batch, int step, double scale) {
    JointLoss.Part part = new JointLoss.Part(batch, addition, options, step, scale);
    return new JointLoss(scope, model, List.of(part)).values(scope).getFirst();
  }
}
