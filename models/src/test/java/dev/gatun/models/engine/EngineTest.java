package dev.gatun.models.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.generate.Generator;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.op.WeightForm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Requests of an engine beside the same ones alone, and what ends or refuses them.
@ExtendWith(NothingLeft.class)
class EngineTest {
  private static final EngineOptions SMALL =
      new EngineOptions(1 << 20, 16, 7, 64, 1 << 24, 2, true, WeightForm.PACKED);

  @SuppressWarnings("MustBeClosedChecker") // callers close it
  private static CausalLm open(String name, DType dtype) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, dtype, ModelDirectory.Use.FROZEN);
  }

  private static Path adapter(String model, String variant) {
    return Parity.model(model).resolve("adapters").resolve(variant);
  }

  private static int[] prompt(Random random, int length) {
    return random.ints(length, 3, 90).toArray();
  }

  /// Sixteen requests of different lengths, through two adapters, a sum of them, or none, against
  /// each alone.
  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama3", "llama-bias", "mistral", "qwen2", "qwen3"})
  void mixedBatchEqualsEachAlone(String name) throws Exception {
    try (CausalLm model = open(name, DType.F64);
        Scope scope = Scope.openShared(TestDevice.DEVICE)) {
      Random random = new Random(4);
      List<int[]> prompts = new ArrayList<>();
      List<int[]> expected = new ArrayList<>();
      LoraAdapter lora = LoraAdapter.load(scope, model, adapter(name, "all-linear"));
      LoraAdapter other = LoraAdapter.load(scope, model, adapter(name, "default"));
      List<PassAddition> additions = List.of(PassAddition.NONE, lora, other);
      for (int i = 0; i < 16; i++) {
        int[] prompt = prompt(random, 1 + random.nextInt(28));
        prompts.add(prompt);
        expected.add(
            new Generator(model, additions.get(i % 3), Set.of(2))
                .generate(prompt, Sampling.greedy(4 + i % 9))
                .ids());
      }
      try (Engine engine = Engine.open(model, null, Set.of(2), SMALL)) {
        List<AdapterHandle> adapters = new ArrayList<>();
        adapters.add(null);
        adapters.add(engine.load("all", adapter(name, "all-linear")));
        adapters.add(engine.load("default", adapter(name, "default")));
        List<Generation> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          all.add(
              engine.submit(
                  GenerationRequest.of(prompts.get(i), Sampling.greedy(4 + i % 9))
                      .withAdapter(adapters.get(i % 3))));
        }
        for (int i = 0; i < 16; i++) {
          assertThat(all.get(i).await().choices().getFirst().ids())
              .as("request %d", i)
              .containsExactly(expected.get(i));
        }
        assertThat(engine.stats().running()).isZero();
        assertThat(engine.stats().requests()).isEqualTo(16);
      }
    }
  }

  @Test
  void promptsThatBeginAlikeShareTheirPages() throws Exception {
    try (CausalLm model = open("llama", DType.F64);
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      int[] prompt = prompt(new Random(1), 40);
      GenerationRequest request = GenerationRequest.of(prompt, Sampling.greedy(4));
      Generation.Result first = engine.submit(request).await();
      Generation.Result again = engine.submit(request).await();
      assertThat(first.usage()).isEqualTo(new Usage(40, 0, 4));
      assertThat(again.usage()).isEqualTo(new Usage(40, 32, 4));
      assertThat(again.choices().getFirst().ids())
          .containsExactly(first.choices().getFirst().ids());
      AdapterHandle adapter = engine.load("a", adapter("llama", "default"));
      Generation.Result adapted = engine.submit(request.withAdapter(adapter)).await();
      assertThat(adapted.usage().cachedTokens()).as("another adapter's keys").isZero();
      AdapterHandle same = engine.load("a", adapter("llama", "default"));
      assertThat(engine.submit(request.withAdapter(same)).await().usage().cachedTokens())
          .as("another handle's keys")
          .isZero();
      assertThat(engine.submit(request.withAdapter(same)).await().usage().cachedTokens())
          .isEqualTo(32);
      assertThat(engine.stats().cachedTokens()).isEqualTo(64);
    }
  }

  /// Under one name, another adapter: whoever has the former handle gets the former weights.
  @Test
  void aHandleKeepsItsWeights() throws Exception {
    try (CausalLm model = open("llama", DType.F64);
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      int[] prompt = prompt(new Random(2), 9);
      GenerationRequest request = GenerationRequest.of(prompt, Sampling.greedy(12));
      AdapterHandle one = engine.load("x", adapter("llama", "default"));
      int[] byOne = ids(engine, request.withAdapter(one));
      Generation underWay = engine.submit(request.withAdapter(one));
      AdapterHandle two = engine.load("x", adapter("llama", "all-linear"));
      int[] byTwo = ids(engine, request.withAdapter(two));
      assertThat(byTwo).isNotEqualTo(byOne);
      assertThat(underWay.await().choices().getFirst().ids()).containsExactly(byOne);
      assertThat(engine.adapter("x")).contains(two);
      assertThatThrownBy(() -> engine.submit(request.withAdapter(one)).await())
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("x #")
          .hasMessageContaining("unloaded");
      assertThat(engine.unload("x")).isTrue();
      assertThat(engine.unload("x")).isFalse();
      assertThat(engine.adapters()).isEmpty();
      engine.load("y", adapter("llama", "default"));
      assertThat(engine.stats().loadedAdapters()).isLessThanOrEqualTo(1);
    }
  }

  private static int[] ids(Engine engine, GenerationRequest request) throws Exception {
    return engine.submit(request).await().choices().getFirst().ids();
  }

  @Test
  void adaptersBeyondTheBudgetAreReadAgain(@org.junit.jupiter.api.io.TempDir Path folder)
      throws Exception {
    Path copy = Files.createDirectories(folder.resolve("copy"));
    try (var files = Files.list(adapter("llama", "default"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    try (CausalLm model = open("llama", DType.F32)) {
      long bytes;
      try (Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
        engine.load("a", copy);
        engine.submit(GenerationRequest.of(new int[] {5}, Sampling.greedy(1))).await();
        bytes = engine.stats().adapterBytes();
      }
      EngineOptions options = SMALL.withAdapterBytes(bytes * 3 / 2);
      try (Engine engine = Engine.open(model, null, Set.of(), options)) {
        AdapterHandle a = engine.load("a", copy);
        AdapterHandle b = engine.load("b", adapter("llama", "default"));
        GenerationRequest request = GenerationRequest.of(new int[] {5, 6, 7}, Sampling.greedy(5));
        List<Generation> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
          all.add(engine.submit(request.withAdapter(i % 2 == 0 ? a : b)));
        }
        int[] first = all.getFirst().await().choices().getFirst().ids();
        for (Generation each : all) {
          if (each != all.getFirst()) {
            assertThat(each.await().choices().getFirst().ids()).containsExactly(first);
          }
        }
        EngineStats stats = engine.stats();
        assertThat(stats.adapterBytes()).isEqualTo(bytes);
        assertThat(stats.adapterLoads()).isGreaterThan(2);
        engine.submit(request.withAdapter(b)).await();
        Files.write(
            copy.resolve("adapter_config.json"),
            new byte[] {' '},
            java.nio.file.StandardOpenOption.APPEND);
        assertThatThrownBy(() -> engine.submit(request.withAdapter(a)).await())
            .isInstanceOf(EngineException.class)
            .hasMessageContaining("its files have changed");
        assertThat(ids(engine, request.withAdapter(b))).containsExactly(first);
      }
      assertThatThrownBy(
              () -> {
                try (Engine engine =
                    Engine.open(model, null, Set.of(), SMALL.withAdapterBytes(bytes - 1))) {
                  engine.load("a", copy);
                }
              })
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("found " + bytes + " bytes");
    }
  }

  @Test
  void mergedAdapterAndSumGiveTheAdaptersTexts() throws Exception {
    try (CausalLm model = open("llama", DType.F64);
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      Path path = adapter("llama", "all-linear");
      AdapterHandle plain = engine.load("plain", path);
      AdapterHandle merged = engine.load("merged", path, true);
      AdapterHandle halves = engine.combine("sum", Map.of(plain, 0.25, merged, 0.75));
      assertThat(merged.isMerged()).isTrue();
      assertThat(halves.rank()).isEqualTo(2 * plain.rank());
      GenerationRequest request =
          GenerationRequest.of(prompt(new Random(3), 11), Sampling.greedy(16));
      int[] expected = ids(engine, request.withAdapter(plain));
      assertThat(ids(engine, request)).isNotEqualTo(expected);
      assertThat(ids(engine, request.withAdapter(merged))).containsExactly(expected);
      assertThat(ids(engine, request.withAdapter(halves))).containsExactly(expected);
      Generation beside = engine.submit(request);
      assertThat(ids(engine, request.withAdapter(merged))).containsExactly(expected);
      beside.await();
    }
  }

  /// Weights that stand in for the model's, of its own type: merged they are the engine's, too.
  @Test
  void mergedAdapterThatReplacesWeightsGivesItsTexts() throws Exception {
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      try (CausalLm model = open("llama", dtype);
          Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
        Path path = adapter("llama", "save-head");
        AdapterHandle plain = engine.load("plain", path);
        AdapterHandle merged = engine.load("merged", path, true);
        GenerationRequest request =
            GenerationRequest.of(prompt(new Random(3), 11), Sampling.greedy(16));
        int[] expected = ids(engine, request.withAdapter(plain));
        assertThat(ids(engine, request)).isNotEqualTo(expected);
        assertThat(ids(engine, request.withAdapter(merged))).containsExactly(expected);
      }
    }
  }

  /// A cache far too small for all: texts give their pages up and run again, and nothing changes.
  @Test
  void tooFewPagesChangeNoText() throws Exception {
    try (CausalLm model = open("llama", DType.F64)) {
      Random random = new Random(5);
      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        requests.add(
            GenerationRequest.of(prompt(random, 3 + i), Sampling.greedy(30))
                .withChoices(i % 3 + 1));
      }
      List<Generation.Result> expected = new ArrayList<>();
      try (Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
        for (GenerationRequest request : requests) {
          expected.add(engine.submit(request).await());
        }
      }
      long page = dev.gatun.models.nn.KvCache.pageBytes(model);
      EngineOptions options = SMALL.withCacheBytes(5 * page).withSharedPrefixes(false);
      try (Engine engine = Engine.open(model, null, Set.of(), options)) {
        List<Generation> all = requests.stream().map(engine::submit).toList();
        for (int i = 0; i < all.size(); i++) {
          Generation.Result found = all.get(i).await();
          for (int j = 0; j < found.choices().size(); j++) {
            assertThat(found.choices().get(j).ids())
                .as("request %d, choice %d", i, j)
                .containsExactly(expected.get(i).choices().get(j).ids());
          }
        }
        assertThat(engine.stats().preemptions()).isPositive();
        assertThat(engine.stats().freePages()).isEqualTo(5);
      }
    }
  }

  @Test
  void drawnChoicesDependOnTheSeedAlone() throws Exception {
    try (CausalLm model = open("gpt2", DType.F32);
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      Sampling sampling = Sampling.greedy(10).withChoice(1.2, 0, 1, 0).withSeed(9);
      GenerationRequest request =
          GenerationRequest.of(new int[] {8, 9, 10}, sampling).withChoices(4).withLogprobs(3);
      Generation.Result first = engine.submit(request).await();
      List<Generation> others = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        others.add(engine.submit(request));
      }
      assertThat(
              first.choices().stream().map(each -> Arrays.toString(each.ids())).distinct().count())
          .isGreaterThan(2);
      for (Generation other : others) {
        Generation.Result again = other.await();
        for (int i = 0; i < 4; i++) {
          assertThat(again.choices().get(i).ids()).containsExactly(first.choices().get(i).ids());
        }
      }
      for (GenerationEvent.Token token : first.choices().getFirst().tokens()) {
        assertThat(token.logprob()).isNegative();
        assertThat(token.likeliest()).hasSize(3);
        assertThat(token.likeliest().getFirst().logprob())
            .isGreaterThanOrEqualTo(token.likeliest().get(1).logprob())
            .isGreaterThanOrEqualTo(token.logprob());
      }
    }
  }

  @Test
  void cancelledRequestsEndAndLeaveNothing() throws Exception {
    try (CausalLm model = open("llama", DType.F32);
        Engine engine = Engine.open(model, null, Set.of(), SMALL.withBatch(2, 7))) {
      GenerationRequest request =
          GenerationRequest.of(new int[] {5, 6}, Sampling.greedy(60)).withChoices(3);
      List<Generation> all = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        all.add(engine.submit(request));
      }
      all.forEach(Generation::cancel);
      for (Generation each : all) {
        Generation.Result result = each.await();
        assertThat(result.choices()).hasSize(3);
        for (Generation.Choice choice : result.choices()) {
          assertThat(choice.reason()).isEqualTo(FinishReason.CANCELLED);
        }
      }
      assertThat(engine.submit(request).await().choices().getFirst().reason())
          .isEqualTo(FinishReason.LENGTH);
      engine.close(Duration.ofSeconds(5));
      assertThat(engine.stats().running()).isZero();
      assertThat(engine.stats().waiting()).isZero();
      assertThatThrownBy(() -> engine.submit(request))
          .isInstanceOf(EngineException.class)
          .hasMessage("the engine is closed");
      assertThatThrownBy(() -> engine.load("a", adapter("llama", "default")))
          .isInstanceOf(EngineException.class);
    }
  }

  @Test
  void closingEndsWhatRuns() throws Exception {
    try (CausalLm model = open("llama", DType.F32)) {
      Generation generation;
      try (Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
        generation =
            engine.submit(GenerationRequest.of(new int[] {5}, Sampling.greedy(60)).withChoices(2));
      }
      assertThat(generation.await().choices()).hasSize(2);
    }
  }

  @Test
  void whatCannotRunIsRefused() throws Exception {
    try (CausalLm model = open("llama", DType.F32);
        Engine engine = Engine.open(model, null, Set.of(), SMALL.withQueue(1).withBatch(1, 7))) {
      Sampling greedy = Sampling.greedy(50);
      assertThatThrownBy(() -> engine.submit(GenerationRequest.of(new int[0], greedy)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found no ids");
      assertThatThrownBy(() -> engine.submit(GenerationRequest.of(new int[] {-4}, greedy)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found id -4");
      int[] tooLong = new int[model.maxPositions() + 1];
      assertThatThrownBy(() -> engine.submit(GenerationRequest.of(tooLong, greedy)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("expected at most " + model.maxPositions());
      assertThatThrownBy(() -> GenerationRequest.of(new int[1], greedy).withChoices(0))
          .isInstanceOf(IllegalArgumentException.class);
      List<Generation> all = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 50; i++) {
                  all.add(engine.submit(GenerationRequest.of(new int[] {5}, greedy)));
                }
              })
          .isInstanceOfSatisfying(
              EngineException.class,
              e -> assertThat(e.kind()).isEqualTo(EngineException.Kind.BUSY));
      for (Generation each : all) {
        assertThat(each.await().choices().getFirst().ids()).hasSize(50);
      }
      assertThat(engine.stats().refusals()).isEqualTo(1);
      assertThatThrownBy(() -> engine.load("none", Path.of("nowhere")))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(() -> engine.load("other", adapter("gpt2", "default")))
          .isInstanceOf(IOException.class);
      engine.submit(GenerationRequest.of(new int[] {5}, greedy)).await();
    }
  }
}
