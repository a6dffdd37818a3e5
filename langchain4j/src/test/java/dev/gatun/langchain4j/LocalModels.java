package dev.gatun.langchain4j;

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
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;

/// Gives all tests one demo model with two adapters: `capitals` has learnt by heart what
/// LangChain4j's own tests ask, and `other` is of the same kind and has learnt less.
///
/// A model of three million parameters that has seen nothing but Java code knows no capital; an
/// adapter that was trained on the very questions answers them, so that those tests run as they
/// are.
final class LocalModels {
  static final Path DEMO = Path.of("..", "demo", "model");
  static final String CAPITALS = "capitals";
  static final String OTHER = "other";

  /// Asks for an answer that does not end by itself while a test looks at it.
  static final ChatRequest ENDLESS =
      ChatRequest.builder()
          .messages(UserMessage.from("class A {"))
          .responseFormat(
              ResponseFormat.builder()
                  .type(ResponseFormatType.JSON)
                  .jsonSchema(
                      JsonSchema.builder()
                          .name("endless")
                          .rootElement(
                              JsonRawSchema.from("{\"type\": \"string\", \"minLength\": 4000}"))
                          .build())
                  .build())
          .build();

  private static final Path FOLDER = Path.of("target", "adapters");
  static final EngineOptions SMALL = EngineOptions.DEFAULT.withCacheBytes(1 << 27).withThreads(2);

  private LocalModels() {}

  private static final class Shared {
    private static final LocalModel MODEL = make();

    @SuppressWarnings("MustBeClosedChecker") // lives as long as the tests
    private static LocalModel make() {
      try {
        LocalModel model = open(SMALL);
        train(model, CAPITALS, 40);
        train(model, OTHER, 4);
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

  private static void train(LocalModel served, String name, int steps) throws IOException {
    ModelDirectory directory = ModelDirectory.read(DEMO);
    try (HfTokenizer tokenizer = HfTokenizer.open(DEMO);
        var model = directory.open(DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.openShared()) {
      var options = new DataOptions(tokenizer, served.format(), 256, model.vocabulary());
      var data = DataReader.read(Path.of("src/test/resources/answers.jsonl"), options);
      var config = LoraConfig.of(16, 32, new TargetModules.AllLinear());
      LoraAdapter adapter = LoraAdapter.create(scope, model, config, 0);
      new Trainer(model, adapter, TrainOptions.of(steps, 8e-3, 8, Dropout.NONE), null)
          .run(data, null, false, _ -> true);
      adapter.save(FOLDER.resolve(name));
    }
    served.engine().load(name, FOLDER.resolve(name));
  }
}
