package dev.gatun.bench.worker;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.PlainChatFormat;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.WeightForm;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a worker does, as `bench/compare.py` writes it.
///
/// @param task the kind of work
/// @param model model directory; only its config is read where `fresh`; null where none is needed
/// @param fresh whether the weights are random
/// @param adapters adapters to load
/// @param newAdapters number of adapters to make where none is loaded, on all linear layers
/// @param rank rank of those
/// @param rows JSONL rows of token ids, taken in their order again and again
/// @param batch rows of a step, of an evaluation
/// @param dtype f32 or bf16
/// @param dropout the method, as `--dropout` takes it
/// @param learningRate constant rate
/// @param maxGradNorm limit of the gradients' norm
/// @param newTokens tokens to generate
/// @param threads threads of libtorch
/// @param profiled whether the last answer tells where the time went
/// @param weights form of the linear layers' weights in an engine; null for the usual one
/// @param device where to compute, as `--device` takes it; null for the host
record Settings(
    Task task,
    @Nullable String model,
    boolean fresh,
    List<String> adapters,
    int newAdapters,
    int rank,
    @Nullable String rows,
    int batch,
    String dtype,
    String dropout,
    double learningRate,
    double maxGradNorm,
    int newTokens,
    int threads,
    boolean profiled,
    @Nullable WeightForm weights,
    @Nullable String device) {
  /// Kinds of work.
  enum Task {
    /// A training step of an adapter.
    TRAIN,
    /// A training step of all weights.
    FULL,
    /// The loss of a batch, its rows divided over the adapters.
    EVAL,
    /// Tokens after the first row as prompt; each time with the next adapter.
    GENERATE,
    /// Tokens after the first `batch` rows side by side, through `newAdapters` adapters in turn.
    SERVE,
    /// Opening a model's weights and closing them; on a GPU, opening the model.
    MAP,
    /// The machine's own rates.
    MACHINE,
    /// How fast the model's file gets to the GPU, and each part of the way.
    TRANSFER,
    /// What it takes to ask the GPU for something small.
    DISPATCH
  }

  Device place() {
    return device == null ? Device.CPU : Device.of(device);
  }

  DType compute() {
    return DType.valueOf(dtype.toUpperCase(Locale.ROOT));
  }

  Path modelPath() {
    if (model == null) {
      throw new IllegalArgumentException("model: found none, expected a directory for " + task);
    }
    return Path.of(model);
  }

  @MustBeClosed
  CausalLm openModel() throws IOException {
    ModelDirectory directory = ModelDirectory.read(modelPath());
    if (fresh) {
      return directory.fresh(place(), compute(), 1);
    }
    return directory.open(
        place(),
        compute(),
        task == Task.FULL ? ModelDirectory.Use.TRAINED : ModelDirectory.Use.FROZEN);
  }

  List<LoraAdapter> openAdapters(Scope owner, CausalLm base) throws IOException {
    List<LoraAdapter> opened = new ArrayList<>();
    for (String adapter : adapters) {
      opened.add(LoraAdapter.load(owner, base, Path.of(adapter)));
    }
    if (adapters.isEmpty()) {
      for (int i = 0; i < newAdapters; i++) {
        opened.add(LoraAdapter.create(owner, base, onAllLinear(), 1 + i));
      }
    }
    return opened;
  }

  LoraConfig onAllLinear() {
    return new LoraConfig(
        new LoraVariant.Plain(),
        rank,
        2.0 * rank,
        0,
        LoraConfig.Selection.of(new TargetModules.AllLinear()),
        Map.of(),
        Map.of(),
        false,
        LoraConfig.Bias.NONE,
        List.of(),
        LoraConfig.Init.KAIMING,
        false,
        new LoraConfig.Origin("CAUSAL_LM", model, null));
  }

  Dataset data(CausalLm base) throws IOException {
    if (rows == null) {
      throw new IllegalArgumentException("rows: found none, expected a JSONL file for " + task);
    }
    DataOptions ids =
        new DataOptions(null, new PlainChatFormat(), base.maxPositions(), base.vocabulary());
    return DataReader.read(Path.of(rows), ids);
  }

  TrainOptions trainOptions() {
    return new TrainOptions(
        new LanguageModelLoss.Options(DropoutText.parse(dropout), 1, false, false),
        AdamW.Config.defaults(),
        new Schedule(Schedule.Shape.CONSTANT, learningRate, 0, 1 << 20),
        maxGradNorm,
        BatchOptions.inOrder(batch),
        0,
        0,
        0);
  }
}
