package dev.gatun.cli;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.train.Evaluation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options `--ensemble` and `--average`.
final class EnsembleArguments {
  /// Of the masks: what is measured and what is generated goes through the same ones.
  static final long SEED = 0;

  @Option(
      names = "--ensemble",
      paramLabel = "METHOD",
      converter = DropoutArgument.class,
      description =
          "Average over several draws of this method's masks, as --dropout of finetune takes it:"
              + " lora-dropout:p=0.3,n=8.")
  private @Nullable String method;

  @Option(
      names = "--average",
      paramLabel = "WHAT",
      defaultValue = "logits",
      description = "What an ensemble averages: logits or probabilities. Default: logits.")
  private Evaluation.Average average = Evaluation.Average.LOGITS;

  Evaluation.Average average() {
    return average;
  }

  /// Returns the method, or null where no ensemble is asked for.
  ///
  /// @param causal whether the model is a decoder
  @Nullable Dropout dropout(boolean causal) {
    return method == null ? null : DropoutArgument.of(method, causal);
  }

  /// Returns the ensemble of an adapter, or null where none is asked for.
  ///
  /// @throws RefusedException if the method is not LoRA Dropout
  @Nullable AdapterEnsemble ofAdapter() {
    Dropout dropout = dropout(true);
    try {
      return dropout == null ? null : AdapterEnsemble.of(dropout, SEED, average);
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--ensemble: " + e.getMessage());
    }
  }
}
