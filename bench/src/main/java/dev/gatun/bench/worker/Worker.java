package dev.gatun.bench.worker;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.generate.Generator;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.FullWeights;
import dev.gatun.models.train.StepReport;
import dev.gatun.models.train.TrainListener;
import dev.gatun.models.train.Trained;
import dev.gatun.models.train.Trainer;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.safetensors.SafetensorsDirectory;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.ObjectMapper;

/// The process.
///
/// The first line of standard input is a JSON object of [Settings]; each further line asks for one
/// unit of work, and its end for the end. Answers are JSON objects, a line each: one when
/// everything is read, then one per unit, and after the end a last one where the work was profiled.
final class Worker {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final BufferedReader commands;
  private final PrintStream answers;
  private final Settings settings;

  private Worker(BufferedReader commands, PrintStream answers, Settings settings) {
    this.commands = commands;
    this.answers = answers;
    this.settings = settings;
  }

  public static void main(String[] args) throws IOException {
    run(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)), System.out);
  }

  /// Reads the settings, then works.
  static void run(BufferedReader commands, PrintStream answers) throws IOException {
    Settings settings = JSON.readValue(commands.readLine(), Settings.class);
    Backend.setThreads(settings.threads());
    Worker worker = new Worker(commands, answers, settings);
    if (settings.profiled()) {
      try (StepProfile profile = StepProfile.start()) {
        worker.work();
        worker.answer(Map.of("profile", profile.samples()));
      }
    } else {
      worker.work();
    }
  }

  private void work() throws IOException {
    switch (settings.task()) {
      case TRAIN, FULL, EVAL, GENERATE -> withModel();
      case SERVE -> serve();
      case MAP -> {
        ready(0);
        repeat(settings.place().isCuda() ? this::upload : this::map);
      }
      case MACHINE -> {
        ready(0);
        repeat(() -> MachineRates.measure().asMap());
      }
      case TRANSFER -> {
        ready(0);
        repeat(() -> TransferRates.of(settings.modelPath()));
      }
      case DISPATCH -> {
        ready(0);
        repeat(() -> DispatchTimes.of(settings.place()));
      }
    }
  }

  private void serve() throws IOException {
    try (CausalLm model = settings.openModel();
        ServedBatch batch = ServedBatch.open(model, settings)) {
      ready(0);
      repeat(batch::run);
    }
  }

  private void withModel() throws IOException {
    try (CausalLm model = settings.openModel();
        Scope owner = Scope.openShared(model.device())) {
      List<LoraAdapter> adapters = settings.openAdapters(owner, model);
      Dataset data = settings.data(model);
      switch (settings.task()) {
        case TRAIN -> train(model, adapters.getFirst(), data);
        case FULL ->
            train(model, new FullWeights(ModelDirectory.read(settings.modelPath()), model), data);
        case EVAL -> {
          ready(0);
          Dataset batch = new Dataset(data.examples().subList(0, settings.batch()), 0, 0);
          repeat(() -> {
            Evaluation result = Evaluation.of(model, divided(adapters), batch, done -> {});
            return Map.of("loss", result.loss());
          });
        }
        default -> {
          ready(0);
          int[] prompt = data.examples().getFirst().ids();
          int[] count = new int[1];
          repeat(() -> {
            PassAddition addition =
                adapters.isEmpty() ? PassAddition.NONE : adapters.get(count[0]++ % adapters.size());
            return Map.of("ids", generate(model, addition, prompt));
          });
        }
      }
    }
  }

  private void train(CausalLm model, Trained trained, Dataset data) throws IOException {
    ready(trained.parameters().values().stream().mapToLong(Tensor::elements).sum());
    if (commands.readLine() != null) {
      new Trainer(model, trained, settings.trainOptions(), null)
          .run(data, null, false, new Obedient());
    }
  }

  /// Divides the tokens of a pass over some adapters, an equal part each.
  private static PassAddition divided(List<LoraAdapter> adapters) {
    return (pass, tokens) -> {
      List<AdapterSegment> segments = new ArrayList<>();
      int count = adapters.size();
      for (int i = 0; i < count; i++) {
        segments.add(
            new AdapterSegment(
                tokens * i / count,
                tokens * (i + 1) / count,
                adapters.get(i).layers(pass.owner())));
      }
      return pass.segments(segments);
    };
  }

  private int[] generate(CausalLm model, PassAddition addition, int[] prompt) {
    return new Generator(model, addition, Set.of())
        .generate(prompt, Sampling.greedy(settings.newTokens()))
        .ids();
  }

  private Map<String, Object> map() throws IOException {
    long bytes = 0;
    try (Scope scope = Scope.openShared()) {
      SafetensorsDirectory directory =
          SafetensorsDirectory.open(settings.modelPath(), scope.arena());
      for (TensorEntry entry : directory.tensors().values()) {
        scope.borrow(entry.data(), entry.dtype(), entry.sizes());
        bytes += entry.data().byteSize();
      }
    }
    return Map.of("bytes", bytes);
  }

  private Map<String, Object> upload() throws IOException {
    long before = NativeMemory.liveBytes(settings.place());
    long start = System.nanoTime();
    try (CausalLm model = settings.openModel()) {
      CudaThread.current().synchronize();
      double seconds = (System.nanoTime() - start) / 1e9;
      return Map.of("bytes", NativeMemory.liveBytes(model.device()) - before, "seconds", seconds);
    }
  }

  private void ready(long trained) {
    answer(
        Map.of(
            "library",
            "gatun, libtorch " + Backend.version() + " with " + Backend.blas(),
            "trained",
            trained));
  }

  private void repeat(Unit unit) throws IOException {
    while (commands.readLine() != null) {
      answer(unit.make());
    }
  }

  private void answer(Map<String, Object> fields) {
    answers.println(JSON.writeValueAsString(fields));
  }

  @FunctionalInterface
  private interface Unit {
    Map<String, Object> make() throws IOException;
  }

  /// Tells of each step and waits for the next to be asked for.
  private final class Obedient implements TrainListener {
    @Override
    public boolean onStep(StepReport report) {
      answer(
          Map.of(
              "loss",
              report.loss(),
              "divergence",
              report.divergence(),
              "peak",
              NativeMemory.peakBytes(settings.place())));
      try {
        return commands.readLine() != null;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
