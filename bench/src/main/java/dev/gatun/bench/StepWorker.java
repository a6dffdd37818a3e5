package dev.gatun.bench;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.PlainChatFormat;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.StepReport;
import dev.gatun.models.train.TrainListener;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.Trainer;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.ObjectMapper;

/// Gatun's side of `bench/compare.py`: trains an adapter one step at a time, as it is told.
///
/// The first line of standard input is a JSON object of [Settings]; each further line asks for one
/// step of [Trainer], and its end for the end. Answers are JSON objects, a line each: one when
/// everything is read, then one per step.
final class StepWorker {
  private static final ObjectMapper JSON = new ObjectMapper();

  /// What is trained and how.
  ///
  /// @param model model directory; only its config is read where `fresh`
  /// @param fresh whether the weights are random
  /// @param adapter adapter to start from, or null for a new one of rank 8 on all linear layers
  /// @param rows JSONL rows of token ids, taken in their order again and again
  /// @param batch rows of a step
  /// @param dtype f32 or bf16
  /// @param dropout none, hiddenkey-minus or hiddenkey
  /// @param rate drop rate of keys and of hidden elements
  /// @param learningRate constant rate
  /// @param maxGradNorm limit of the gradients' norm
  /// @param threads threads of libtorch
  record Settings(
      String model,
      boolean fresh,
      @Nullable String adapter,
      String rows,
      int batch,
      String dtype,
      String dropout,
      double rate,
      double learningRate,
      double maxGradNorm,
      int threads) {
    DType compute() {
      return DType.valueOf(dtype.toUpperCase(Locale.ROOT));
    }

    Dropout method() {
      return switch (dropout) {
        case "none" -> Dropout.NONE;
        case "hiddenkey-minus" -> Dropout.hiddenKeyMinus(rate, rate);
        case "hiddenkey" -> Dropout.hiddenKey(rate, rate, 1);
        default ->
            throw new IllegalArgumentException(
                "dropout: found '" + dropout + "', expected none, hiddenkey-minus or hiddenkey");
      };
    }

    TrainOptions options() {
      return new TrainOptions(
          new LanguageModelLoss.Options(method(), 1, false, false),
          AdamW.Config.defaults(),
          new Schedule(Schedule.Shape.CONSTANT, learningRate, 0, 1 << 20),
          maxGradNorm,
          BatchOptions.inOrder(batch),
          0,
          0,
          0);
    }
  }

  private StepWorker() {}

  /// Reads the settings, then makes steps.
  public static void main(String[] args) throws IOException {
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Settings settings = JSON.readValue(commands.readLine(), Settings.class);
    Backend.setThreads(settings.threads);
    try (CausalLm model = open(settings);
        Scope owner = Scope.openShared()) {
      LoraAdapter adapter =
          settings.adapter == null
              ? LoraAdapter.create(owner, model, allLinear(settings.model), 1)
              : LoraAdapter.load(owner, model, Path.of(settings.adapter));
      DataOptions ids =
          new DataOptions(null, new PlainChatFormat(), model.maxPositions(), model.vocabulary());
      Dataset rows = DataReader.read(Path.of(settings.rows), ids);
      answer(
          Map.of(
              "library",
              "gatun, libtorch " + Backend.version() + " with " + Backend.blas(),
              "trained",
              adapter.parameters().values().stream().mapToLong(p -> p.elements()).sum()));
      if (commands.readLine() != null) {
        new Trainer(model, adapter, settings.options(), null)
            .run(rows, null, false, new Obedient(commands));
      }
    }
  }

  @MustBeClosed
  private static CausalLm open(Settings settings) throws IOException {
    ModelDirectory directory = ModelDirectory.read(Path.of(settings.model));
    if (settings.fresh) {
      return directory.fresh(settings.compute(), 1);
    }
    return directory.open(settings.compute(), ModelDirectory.Use.FROZEN);
  }

  private static LoraConfig allLinear(String base) {
    return new LoraConfig(
        8,
        16,
        0,
        LoraConfig.Selection.of(new TargetModules.AllLinear()),
        Map.of(),
        Map.of(),
        false,
        LoraConfig.Bias.NONE,
        List.of(),
        LoraConfig.Init.KAIMING,
        false,
        new LoraConfig.Origin("CAUSAL_LM", base, null));
  }

  private static void answer(Map<String, Object> fields) {
    System.out.println(JSON.writeValueAsString(fields));
  }

  /// Tells of each step and waits for the next to be asked for.
  private record Obedient(BufferedReader commands) implements TrainListener {
    @Override
    public boolean onStep(StepReport report) {
      answer(Map.of("loss", report.loss(), "divergence", report.divergence()));
      try {
        return commands.readLine() != null;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
