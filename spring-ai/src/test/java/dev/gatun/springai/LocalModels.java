package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.engine.EngineStats;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.Trainer;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;

/// Gives all tests one demo model with two adapters that were trained to answer one question
/// differently; `berlin` tells a long story, too.
final class LocalModels {
  static final Path DEMO = Path.of("..", "demo", "model");
  static final String BERLIN = "berlin";
  static final String BONN = "bonn";
  static final String QUESTION = "What is the capital of Germany?";
  static final String STORY = "Tell me a long story about animals";
  static final EngineOptions SMALL = EngineOptions.DEFAULT.withCacheBytes(1 << 27).withThreads(2);

  /// Asks for an answer that does not end by itself while a test looks at it.
  static final GatunChatOptions ENDLESS =
      GatunChatOptions.builder()
          .outputSchema("{\"type\": \"string\", \"minLength\": 4000}")
          .build();

  private static final Path FOLDER = Path.of("target", "adapters");

  private LocalModels() {}

  private static final class Shared {
    private static final LocalModel MODEL = make();

    @SuppressWarnings("MustBeClosedChecker") // lives as long as the tests
    private static LocalModel make() {
      try {
        LocalModel model = open(SMALL);
        train(model, BERLIN);
        train(model, BONN);
        return model;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /// {@return the model that the tests share, with both adapters loaded}
  static LocalModel shared() {
    return Shared.MODEL;
  }

  /// {@return where an adapter of the shared model was saved}
  static Path adapter(String name) {
    return Path.of(shared().engine().adapter(name).orElseThrow().source());
  }

  /// {@return another model, which the caller closes}
  static LocalModel open(EngineOptions options) throws IOException {
    return LocalModel.open(DEMO, Device.CPU, DType.F32, options);
  }

  /// Waits until so many requests were given up and nothing is at work.
  static void awaitCancellations(LocalModel model, long count) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    EngineStats stats = model.engine().stats();
    while (stats.cancellations() < count || stats.running() + stats.waiting() > 0) {
      assertThat(System.nanoTime()).as(stats.toString()).isLessThan(end);
      Thread.sleep(5);
      stats = model.engine().stats();
    }
  }

  /// {@return how many tensors there are when nothing is at work and the last pass has freed its
  /// own}
  static long settledTensors(LocalModel model) throws InterruptedException {
    awaitCancellations(model, 0);
    long last = -1;
    for (int same = 0; same < 3; same++) {
      Thread.sleep(10);
      long now = NativeMemory.liveTensors();
      same = now == last ? same : -1;
      last = now;
    }
    return last;
  }

  private static void train(LocalModel served, String name) throws IOException {
    ModelDirectory directory = ModelDirectory.read(DEMO);
    try (HfTokenizer tokenizer = HfTokenizer.open(DEMO);
        var model = directory.open(DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.openShared()) {
      var options = new DataOptions(tokenizer, served.format(), 256, model.vocabulary());
      var data = DataReader.read(Path.of("src/test/resources", name + ".jsonl"), options);
      var config = LoraConfig.of(16, 32, new TargetModules.AllLinear());
      LoraAdapter adapter = LoraAdapter.create(scope, model, config, 0);
      new Trainer(model, adapter, TrainOptions.of(30, 8e-3, 2, Dropout.NONE), null)
          .run(data, null, false, _ -> true);
      adapter.save(FOLDER.resolve(name));
    }
    served.engine().load(name, FOLDER.resolve(name));
  }
}
