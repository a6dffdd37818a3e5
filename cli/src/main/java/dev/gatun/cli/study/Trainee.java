package dev.gatun.cli.study;

import dev.gatun.models.baseline.BitFit;
import dev.gatun.models.baseline.Bottlenecks;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.lora.LoraTraining;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.FullWeights;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.Scope;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// What a method of a study trains.
public sealed interface Trainee {
  /// Makes it anew.
  ///
  /// @param owner owner of its tensors
  /// @param directory where the model is from
  /// @param model the model
  /// @param seed of what is random
  /// @param steps steps that it will be trained
  /// @return what changes nothing, or nearly nothing, yet
  /// @throws IllegalArgumentException if it does not fit the model
  Trained create(Scope owner, ModelDirectory directory, Transformer model, long seed, int steps);

  /// {@return whether its rows may go through the model in one pass with those of others: it
  /// changes the model for them alone}
  boolean sharesPasses();

  /// {@return one line that tells it from others}
  String text();

  /// {@return whether masks of adapters have something to mask}
  default boolean isAdapter() {
    return false;
  }

  /// An adapter of the LoRA family.
  ///
  /// @param kind which of them
  /// @param rank rank of each layer, AdaLoRA's at the beginning
  /// @param alpha numerator of the scale
  /// @param targets names of the adapted layers; empty for all linear ones
  /// @param training how it is trained
  /// @param ranks how AdaLoRA's ranks change, null for the others
  record LowRank(
      Kind kind,
      int rank,
      double alpha,
      List<String> targets,
      LoraTraining training,
      @Nullable Ranks ranks)
      implements Trainee {
    /// Members of the family.
    public enum Kind {
      /// LoRA and LoRA+.
      LORA,
      /// DoRA.
      DORA,
      /// AdaLoRA.
      ADALORA
    }

    /// How AdaLoRA's ranks change.
    ///
    /// @param target mean rank at the end
    /// @param first steps before the first change
    /// @param last steps at the end without one
    /// @param every steps between two
    /// @param orthogonality weight of the penalty
    public record Ranks(int target, int first, int last, int every, double orthogonality) {}

    @Override
    public Trained create(
        Scope owner, ModelDirectory directory, Transformer model, long seed, int steps) {
      TargetModules modules =
          targets.isEmpty() ? new TargetModules.AllLinear() : new TargetModules.Names(targets);
      LoraConfig config = LoraConfig.of(rank, alpha, modules).withVariant(variant(steps));
      return LoraAdapter.create(owner, model, config, seed).with(training);
    }

    private LoraVariant variant(int steps) {
      if (ranks != null) {
        return new LoraVariant.AdaLora(
            ranks.target,
            ranks.first,
            ranks.last,
            ranks.every,
            0.85,
            0.85,
            ranks.orthogonality,
            steps,
            Map.of());
      }
      return kind == Kind.DORA ? new LoraVariant.Dora() : new LoraVariant.Plain();
    }

    @Override
    public boolean sharesPasses() {
      return true;
    }

    @Override
    public boolean isAdapter() {
      return true;
    }

    @Override
    public String text() {
      StringJoiner text = new StringJoiner(", ");
      text.add(kind.name().toLowerCase(Locale.ROOT) + (training.plusRatio() == 1 ? "" : "+"));
      text.add("rank " + rank + (ranks == null ? "" : " to " + ranks.target));
      text.add("alpha " + number(alpha));
      text.add(targets.isEmpty() ? "all linear" : String.join(" ", targets));
      if (training.plusRatio() != 1) {
        text.add("ratio " + number(training.plusRatio()));
      }
      if (training.sparsity() != 0) {
        text.add("sparsity " + number(training.sparsity()));
      }
      return text.toString();
    }

    private static String number(double value) {
      return new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
    }
  }

  /// All biases.
  record Biases() implements Trainee {
    @Override
    public Trained create(
        Scope owner, ModelDirectory directory, Transformer model, long seed, int steps) {
      return BitFit.create(owner, model);
    }

    @Override
    public boolean sharesPasses() {
      return false;
    }

    @Override
    public String text() {
      return BitFit.METHOD;
    }
  }

  /// Bottlenecks after the blocks.
  ///
  /// @param kind after which
  /// @param width inner width
  record Networks(Bottlenecks.Kind kind, int width) implements Trainee {
    @Override
    public Trained create(
        Scope owner, ModelDirectory directory, Transformer model, long seed, int steps) {
      return Bottlenecks.create(owner, model, kind, width, seed);
    }

    @Override
    public boolean sharesPasses() {
      return false;
    }

    @Override
    public String text() {
      return kind.method() + ", width " + width;
    }
  }

  /// All weights, those of a model that nobody else uses.
  record AllWeights() implements Trainee {
    @Override
    public Trained create(
        Scope owner, ModelDirectory directory, Transformer model, long seed, int steps) {
      return new FullWeights(directory, model);
    }

    @Override
    public boolean sharesPasses() {
      return false;
    }

    @Override
    public String text() {
      return "full";
    }
  }
}
