package dev.gatun.bench.worker;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.Engine;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.WeightForm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/// Requests of one batch, each through one of some adapters in turn, or through none. While they
/// run, another adapter is loaded, where there are any.
final class ServedBatch implements AutoCloseable {
  private static final int TOKENS_BEFORE_LOAD = 4;

  private final Engine engine;
  private final List<GenerationRequest> requests;
  private final Path folder;

  private ServedBatch(Engine engine, List<GenerationRequest> requests, Path folder) {
    this.engine = engine;
    this.requests = requests;
    this.folder = folder;
  }

  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed with the batch
  static ServedBatch open(CausalLm model, Settings settings) throws IOException {
    // With a second OpenMP pool in the process, libgomp lets the engine's threads sleep between
    // operations.
    Backend.setThreads(1);
    EngineOptions options =
        EngineOptions.DEFAULT
            .withThreads(settings.threads())
            .withSharedPrefixes(false)
            .withWeights(Objects.requireNonNullElse(settings.weights(), WeightForm.PACKED));
    Engine engine = Engine.open(model, null, Set.of(), options);
    List<AdapterHandle> adapters = new ArrayList<>();
    Path folder = Files.createTempDirectory("gatun-adapters");
    for (int i = 0; i < settings.newAdapters(); i++) {
      Path path = folder.resolve("adapter-" + i);
      write(model, settings, i, path);
      adapters.add(engine.load("adapter-" + i, path));
    }
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < settings.batch(); i++) {
      int[] prompt = settings.data(model).examples().get(i).ids();
      requests.add(
          GenerationRequest.of(prompt, Sampling.greedy(settings.newTokens()))
              .withAdapter(adapters.isEmpty() ? null : adapters.get(i % adapters.size())));
    }
    return new ServedBatch(engine, requests, folder);
  }

  /// Writes a random adapter that changes what the model says.
  private static void write(CausalLm model, Settings settings, int number, Path path)
      throws IOException {
    try (Scope scope = Scope.open()) {
      LoraAdapter adapter = LoraAdapter.create(scope, model, settings.onAllLinear(), 1L + number);
      Random random = new Random(number);
      for (Map.Entry<String, Tensor> each : adapter.parameters().entrySet()) {
        if (each.getKey().contains("lora_B")) {
          float[] values = new float[Math.toIntExact(each.getValue().elements())];
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.02 * random.nextGaussian());
          }
          Layout.copyInPlace(each.getValue(), scope.of(values, each.getValue().shape()));
        }
      }
      adapter.save(path);
    }
  }

  /// Runs the batch.
  ///
  /// @return the last request's ids; the median of the seconds between two of its tokens; the
  ///   seconds that loading an adapter took, or 0
  Map<String, Object> run() throws IOException {
    List<Generation> all = requests.stream().map(engine::submit).toList();
    List<Integer> ids = new ArrayList<>();
    List<Double> steps = new ArrayList<>();
    double load = 0;
    try {
      long before = 0;
      while (all.getLast().take() instanceof GenerationEvent.Text text) {
        long now = System.nanoTime();
        if (before > 0) {
          steps.add((now - before) / 1e9);
        }
        before = now;
        text.tokens().forEach(token -> ids.add(token.id()));
        if (load == 0 && ids.size() >= TOKENS_BEFORE_LOAD && hasAdapters()) {
          engine.load("another", folder.resolve("adapter-0"));
          load = (System.nanoTime() - now) / 1e9;
          engine.unload("another");
        }
      }
      for (Generation each : all.subList(0, all.size() - 1)) {
        each.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    if (load == 0 && hasAdapters()) {
      throw new IllegalStateException(
          "batch: found %d tokens, expected at least %d".formatted(ids.size(), TOKENS_BEFORE_LOAD));
    }
    steps.sort(null);
    double step = steps.isEmpty() ? 0 : steps.get(steps.size() / 2);
    return Map.of("ids", ids, "step", step, "load", load);
  }

  private boolean hasAdapters() {
    return requests.getLast().adapter() != null;
  }

  @Override
  public void close() throws IOException {
    engine.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
