package dev.gatun.models.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.engine.GenerationEvent.Candidate;
import dev.gatun.models.engine.GenerationEvent.Token;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.generate.TokenConstraint;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.KvCache;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.Evaluation.Average;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.WeightForm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// LoRA Dropout's ensembles of generated texts (arXiv:2404.09610, section 3.3), against passes
/// under each draw without a cache and against an evaluation; and as groups among other texts.
@ExtendWith(NothingLeft.class)
class EngineEnsembleTest {
  private static final EngineOptions SMALL =
      new EngineOptions(1 << 20, 16, 7, 64, 1 << 24, 2, true, WeightForm.PACKED);
  private static final double RATE = 0.3;
  private static final long SEED = 17;

  @SuppressWarnings("MustBeClosedChecker") // callers close it
  private static CausalLm open(String name) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN);
  }

  private static Path adapter(String model, String variant) {
    return Parity.model(model).resolve("adapters").resolve(variant);
  }

  private static AdapterEnsemble ensemble(int instances, long seed) {
    return new AdapterEnsemble(RATE, instances, seed, Average.LOGITS);
  }

  private static int[] prompt(int seed, int length) {
    return new Random(seed).ints(length, 3, 90).toArray();
  }

  private static Generation.Choice choice(Engine engine, GenerationRequest request)
      throws Exception {
    return engine.submit(request).await().choices().getFirst();
  }

  /// Each token's probability, and those of the likeliest twenty, are the average over passes under
  /// the masks of training, whose matrices are masked here by hand.
  @ParameterizedTest
  @CsvSource({
    "llama, all-linear, LOGITS",
    "llama, all-linear, PROBABILITIES",
    "llama, dora, PROBABILITIES",
    "llama, adalora, LOGITS",
    "llama, save-head, LOGITS",
    "gpt2, default, PROBABILITIES",
    "qwen3, all-linear, LOGITS",
  })
  void eachTokenIsThatOfTheAverage(String name, String variant, Average average) throws Exception {
    int draws = 5;
    int[] prompt = prompt(1, 18);
    try (CausalLm model = open(name);
        Scope scope = Scope.openShared(TestDevice.DEVICE)) {
      Generation.Choice made;
      Generation.Choice plain;
      try (Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
        GenerationRequest request =
            GenerationRequest.of(prompt, Sampling.greedy(20))
                .withLogprobs(20)
                .withAdapter(engine.load("a", adapter(name, variant)));
        plain = choice(engine, request);
        made =
            choice(engine, request.withEnsemble(new AdapterEnsemble(RATE, draws, SEED, average)));
      }
      int[] text = Arrays.copyOf(prompt, prompt.length + made.tokens().size());
      System.arraycopy(made.ids(), 0, text, prompt.length, made.tokens().size());
      LoraAdapter lora = LoraAdapter.load(scope, model, adapter(name, variant));
      double[][] expected = logarithms(model, lora, draws, average, text);
      double sum = 0;
      for (int i = 0; i < made.tokens().size(); i++) {
        double[] row = expected[prompt.length + i - 1];
        Token token = made.tokens().get(i);
        assertThat(token.logprob()).as("token %d", i).isCloseTo(row[token.id()], within(1e-5));
        assertThat(row[token.id()]).isEqualTo(Arrays.stream(row).max().orElseThrow());
        for (Candidate each : token.likeliest()) {
          assertThat(each.logprob()).as("token %d", i).isCloseTo(row[each.id()], within(1e-5));
        }
        sum += token.logprob();
      }
      assertThat(made.tokens().getFirst().logprob())
          .isNotCloseTo(plain.tokens().getFirst().logprob(), within(1e-3));
      int[] labels = text.clone();
      Arrays.fill(labels, 0, prompt.length, Example.IGNORED);
      Evaluation evaluation =
          Evaluation.ensemble(
              model,
              lora,
              new Dataset(List.of(new Example(0, 0, text, labels)), 0, 0),
              Dropout.loraDropout(RATE, draws),
              SEED,
              average,
              done -> {});
      assertThat(sum / made.tokens().size()).isCloseTo(-evaluation.loss(), within(1e-5));
    }
  }

  /// Returns the logarithms of the averaged probabilities behind each token.
  private static double[][] logarithms(
      CausalLm model, LoraAdapter lora, int draws, Average average, int... text) {
    int width = model.vocabulary();
    double[][] mean = new double[text.length][width];
    for (int d = 0; d < draws; d++) {
      try (Scope scope = TestDevice.open()) {
        ForwardPass pass =
            ForwardPass.of(scope, model, text, 0, text.length)
                .segments(List.of(new AdapterSegment(0, text.length, masked(scope, lora, d))))
                .replaced(lora.replaced())
                .build();
        double[] logits =
            Parity.doubles(model.logits(scope, model.hidden(scope, pass, false), pass));
        for (int t = 0; t < text.length; t++) {
          double[] row = Arrays.copyOfRange(logits, t * width, (t + 1) * width);
          double[] said = average == Average.LOGITS ? row : softmax(row);
          for (int id = 0; id < width; id++) {
            mean[t][id] += said[id] / draws;
          }
        }
      }
    }
    for (int t = 0; t < text.length; t++) {
      double[] p = average == Average.LOGITS ? softmax(mean[t]) : mean[t];
      mean[t] = Arrays.stream(p).map(Math::log).toArray();
    }
    return mean;
  }

  private static double[] softmax(double... logits) {
    double sum = Arrays.stream(logits).map(Math::exp).sum();
    return Arrays.stream(logits).map(x -> Math.exp(x) / sum).toArray();
  }

  private static @Nullable AdapterLayer[] masked(Scope scope, LoraAdapter lora, int draw) {
    DropoutMasks.Source source =
        new DropoutMasks.Source(Dropout.loraDropout(RATE, 1), SEED, 0, 2 * draw, 0);
    @Nullable AdapterLayer[] layers = lora.layers(scope);
    for (int i = 0; i < layers.length; i++) {
      AdapterLayer layer = layers[i];
      if (layer != null) {
        int rank = (int) layer.a().size(0);
        int columns = (int) layer.a().size(1);
        int rows = (int) layer.b().size(0);
        float[][] kept = requireNonNull(source.adapter(i, columns, rows));
        double[] a = Parity.doubles(layer.a());
        double[] b = Parity.doubles(layer.b());
        for (int at = 0; at < a.length; at++) {
          a[at] *= kept[0][at % columns];
        }
        for (int at = 0; at < b.length; at++) {
          b[at] *= kept[1][at / rank];
        }
        Tensor maskedA = scope.of(a, rank, columns);
        layers[i] = layer.with(maskedA, scope.of(b, rows, rank));
      }
    }
    return layers;
  }

  /// A rate that rounds to none leaves the adapter as it is, beside a merged one, too.
  @ParameterizedTest
  @EnumSource(Average.class)
  void drawsThatDropNothingAreTheAdapter(Average average) throws Exception {
    try (CausalLm model = open("llama");
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      Path path = adapter("llama", "all-linear");
      GenerationRequest request =
          GenerationRequest.of(prompt(2, 11), Sampling.greedy(16)).withLogprobs(5);
      AdapterHandle handle = engine.load("plain", path);
      Generation.Choice plain = choice(engine, request.withAdapter(handle));
      AdapterHandle merged = engine.load("merged", path, true);
      GenerationRequest masked = request.withEnsemble(new AdapterEnsemble(RATE, 3, 3, average));
      double some = firstLogprob(engine, masked.withAdapter(handle));
      assertThat(firstLogprob(engine, masked.withAdapter(merged))).isCloseTo(some, within(1e-6));
      assertThat(plain.tokens().getFirst().logprob()).isNotCloseTo(some, within(1e-3));
      for (int instances : new int[] {1, 3}) {
        Generation.Choice made =
            choice(
                engine,
                request
                    .withAdapter(merged)
                    .withEnsemble(new AdapterEnsemble(1e-12, instances, 3, average)));
        assertThat(made.ids()).containsExactly(plain.ids());
        for (int i = 0; i < 16; i++) {
          assertThat(made.tokens().get(i).logprob())
              .isCloseTo(plain.tokens().get(i).logprob(), within(1e-5));
        }
      }
    }
  }

  private static double firstLogprob(Engine engine, GenerationRequest request) throws Exception {
    return choice(engine, request).tokens().getFirst().logprob();
  }

  /// A choice that finds pages for one draw but not for the other waits.
  @Test
  void choicesTakePagesForAllDrawsOrNone() throws Exception {
    try (CausalLm model = open("llama")) {
      EngineOptions options =
          SMALL.withCacheBytes(3 * KvCache.pageBytes(model)).withSharedPrefixes(false);
      try (Engine engine = Engine.open(model, null, Set.of(), options)) {
        GenerationRequest request =
            GenerationRequest.of(prompt(1, 5), Sampling.greedy(8))
                .withAdapter(engine.load("a", adapter("llama", "default")))
                .withEnsemble(ensemble(2, 1));
        List<List<Integer>> three = ids(engine.submit(request.withChoices(3)).await());
        assertThat(three).hasSize(3).containsOnly(ids(engine.submit(request).await()).getFirst());
        assertThat(engine.stats().freePages()).isEqualTo(3);
      }
    }
  }

  /// Two ensembles of three draws do not run side by side where four sequences may.
  @Test
  void eachDrawCountsAsASequence() throws Exception {
    try (CausalLm model = open("llama");
        Engine engine = Engine.open(model, null, Set.of(), SMALL.withBatch(4, 7))) {
      GenerationRequest request =
          GenerationRequest.of(prompt(1, 2), Sampling.greedy(20))
              .withAdapter(engine.load("a", adapter("llama", "default")))
              .withEnsemble(ensemble(3, 1));
      Generation one = engine.submit(request);
      Generation other = engine.submit(request);
      assertThat(ids(one.await())).isEqualTo(ids(other.await()));
      assertThat(engine.stats().steps()).isGreaterThanOrEqualTo(40);
    }
  }

  /// Ensembles, several choices, adapters and none of them.
  private static List<GenerationRequest> mixed(AdapterHandle one, AdapterHandle other) {
    List<GenerationRequest> requests = new ArrayList<>();
    Sampling drawn = Sampling.greedy(12).withChoice(1.1, 0, 0.95, 0).withSeed(5);
    for (int i = 0; i < 12; i++) {
      GenerationRequest request =
          GenerationRequest.of(
              prompt(i % 5, 3 + 2 * i),
              i % 4 == 3 ? drawn : Sampling.greedy(12).withPenalties(1.2, 0.1, 0.1, 3));
      requests.add(
          switch (i % 3) {
            case 0 ->
                request
                    .withAdapter(i % 2 == 0 ? one : other)
                    .withEnsemble(new AdapterEnsemble(RATE, 2 + i / 3, i % 2, average(i)));
            case 1 -> request.withAdapter(other).withChoices(2);
            default -> request;
          });
    }
    requests.add(requests.getFirst().withChoices(3));
    return requests;
  }

  private static Average average(int i) {
    return i % 2 == 0 ? Average.PROBABILITIES : Average.LOGITS;
  }

  private static List<List<Integer>> ids(Generation.Result result) {
    return result.choices().stream()
        .map(each -> each.tokens().stream().map(Token::id).toList())
        .toList();
  }

  private static void assertSameTogether(CausalLm model, EngineOptions options, long pages)
      throws Exception {
    List<List<List<Integer>>> alone = new ArrayList<>();
    try (Engine engine = Engine.open(model, null, Set.of(2), SMALL.withSharedPrefixes(false))) {
      AdapterHandle one = engine.load("one", adapter("llama", "all-linear"));
      AdapterHandle other = engine.load("other", adapter("llama", "save-head"));
      for (GenerationRequest request : mixed(one, other)) {
        alone.add(ids(engine.submit(request).await()));
      }
      assertThat(engine.stats().freePages()).isEqualTo(engine.stats().pages());
    }
    assertThat(alone).doesNotHaveDuplicates();
    try (Engine engine = Engine.open(model, null, Set.of(2), options)) {
      AdapterHandle one = engine.load("one", adapter("llama", "all-linear"));
      AdapterHandle other = engine.load("other", adapter("llama", "save-head"));
      List<GenerationRequest> requests = mixed(one, other);
      for (int round = 0; round < 2; round++) {
        List<Generation> all = requests.stream().map(engine::submit).toList();
        for (int i = 0; i < all.size(); i++) {
          assertThat(ids(all.get(i).await())).as("request %d", i).isEqualTo(alone.get(i));
        }
      }
      EngineStats stats = engine.stats();
      assertThat(stats.running()).isZero();
      assertThat(stats.waiting()).isZero();
      assertThat(stats.pages()).isEqualTo((int) pages);
      assertThat(stats.freePages() + stats.prefixPages()).isEqualTo(stats.pages());
      if (options.sharePrefixes()) {
        assertThat(stats.cachedTokens()).isPositive();
      } else {
        assertThat(stats.preemptions()).isPositive();
      }
    }
  }

  @Test
  void besideOthersNothingChanges() throws Exception {
    try (CausalLm model = open("llama")) {
      assertSameTogether(model, SMALL, (1 << 20) / KvCache.pageBytes(model));
    }
  }

  /// Room for the longest text of one ensemble and little more: groups give their pages up and run
  /// again.
  @Test
  void tooFewPagesChangeNothing() throws Exception {
    try (CausalLm model = open("llama")) {
      long page = KvCache.pageBytes(model);
      assertSameTogether(model, SMALL.withCacheBytes(16 * page).withSharedPrefixes(false), 16);
    }
  }

  @Test
  void pagesAreSharedBetweenEqualDrawsAlone() throws Exception {
    try (CausalLm model = open("llama");
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      AdapterHandle handle = engine.load("a", adapter("llama", "default"));
      GenerationRequest plain =
          GenerationRequest.of(prompt(1, 40), Sampling.greedy(4)).withAdapter(handle);
      GenerationRequest two = plain.withEnsemble(ensemble(2, 1));
      Generation.Result first = engine.submit(two).await();
      Generation.Result again = engine.submit(two).await();
      assertThat(first.usage()).isEqualTo(new Usage(40, 0, 4));
      assertThat(again.usage()).isEqualTo(new Usage(40, 32, 4));
      assertThat(ids(again)).isEqualTo(ids(first));
      assertThat(cached(engine, plain)).as("without masks").isZero();
      assertThat(cached(engine, plain.withEnsemble(ensemble(2, 2)))).as("other seed").isZero();
      assertThat(cached(engine, plain.withEnsemble(ensemble(3, 1)))).as("one more draw").isZero();
      assertThat(cached(engine, plain.withEnsemble(ensemble(1, 1)))).as("the first").isEqualTo(32);
      assertThat(cached(engine, plain.withEnsemble(new AdapterEnsemble(0.2, 2, 1, Average.LOGITS))))
          .as("other rate")
          .isZero();
      assertThat(
              cached(
                  engine,
                  plain.withEnsemble(new AdapterEnsemble(RATE, 3, 1, Average.PROBABILITIES))))
          .as("the same draws, averaged otherwise")
          .isEqualTo(32);
      AdapterHandle same = engine.load("a", adapter("llama", "default"));
      assertThat(cached(engine, two.withAdapter(same))).as("another handle").isZero();
      engine.unload("a");
      engine.submit(GenerationRequest.of(new int[] {5}, Sampling.greedy(1))).await();
      assertThat(engine.stats().loadedAdapters()).isZero();
      assertThat(engine.stats().adapterBytes()).isZero();
      assertThat(engine.stats().prefixPages()).as("pages of adapters that are gone").isZero();
      assertThat(engine.stats().freePages()).isEqualTo(engine.stats().pages());
    }
  }

  private static int cached(Engine engine, GenerationRequest request) throws Exception {
    return engine.submit(request).await().usage().cachedTokens();
  }

  /// Draws of many seeds come and go under a budget for few; a text in the middle of its tokens
  /// keeps its own, and those that come back say what they said before.
  @Test
  void drawsBeyondTheBudgetAreMadeAgain() throws Exception {
    try (CausalLm model = open("llama")) {
      Path path = adapter("llama", "default");
      long bytes;
      try (Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
        engine.load("a", path);
        engine.submit(GenerationRequest.of(new int[] {5}, Sampling.greedy(1))).await();
        bytes = engine.stats().adapterBytes();
      }
      EngineOptions options = SMALL.withAdapterBytes(4 * bytes);
      try (Engine engine = Engine.open(model, null, Set.of(), options)) {
        AdapterHandle handle = engine.load("a", path);
        GenerationRequest request =
            GenerationRequest.of(prompt(3, 20), Sampling.greedy(12))
                .withAdapter(handle)
                .withLogprobs(0);
        List<Generation> all = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
          all.add(engine.submit(request.withEnsemble(ensemble(3, i % 4))));
        }
        List<Double> logprobs = new ArrayList<>();
        for (Generation each : all) {
          logprobs.add(each.await().choices().getFirst().tokens().getFirst().logprob());
        }
        for (int i = 4; i < 12; i++) {
          assertThat(logprobs.get(i)).isCloseTo(logprobs.get(i % 4), within(1e-6));
        }
        assertThat(logprobs.subList(0, 4)).doesNotHaveDuplicates();
        assertThat(engine.stats().adapterBytes()).isEqualTo(4 * bytes);
        assertThat(engine.stats().adapterLoads()).isGreaterThan(3 * 4);
        assertThatThrownBy(() -> engine.submit(request.withEnsemble(ensemble(4, 0))))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "ensemble: found 4 draws of %d bytes, with the adapter, expected at most the %d of"
                        .formatted(5 * bytes, 4 * bytes)
                    + " all adapters");
      }
    }
  }

  @Test
  void cancelledAndFailedEnsemblesLeaveNothing() throws Exception {
    try (CausalLm model = open("llama");
        Engine engine = Engine.open(model, null, Set.of(), SMALL.withSharedPrefixes(false))) {
      AdapterHandle handle = engine.load("a", adapter("llama", "all-linear"));
      GenerationRequest request =
          GenerationRequest.of(prompt(4, 5), Sampling.greedy(50))
              .withAdapter(handle)
              .withEnsemble(ensemble(5, 1))
              .withChoices(2);
      List<Generation> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(engine.submit(request));
      }
      all.getFirst().take(); // the first one runs, others wait
      all.forEach(Generation::cancel);
      for (Generation each : all.subList(1, 4)) {
        for (Generation.Choice choice : each.await().choices()) {
          assertThat(choice.reason()).isEqualTo(FinishReason.CANCELLED);
        }
      }
      GenerationEvent last = all.getFirst().take();
      while (!(last instanceof GenerationEvent.Ended)) {
        last = all.getFirst().take();
      }
      assertThat(engine.stats().freePages()).isEqualTo(engine.stats().pages());
      assertThat(engine.stats().running()).isZero();
      assertThatThrownBy(() -> engine.submit(request.withConstraint(new Twice())).await())
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("nothing fits");
      assertThat(engine.stats().freePages()).isEqualTo(engine.stats().pages());
      assertThat(engine.stats().running()).isZero();
      assertThat(choice(engine, request).reason()).isEqualTo(FinishReason.LENGTH);
    }
  }

  /// Allows everything twice, then nothing.
  private static final class Twice implements TokenConstraint {
    private int made;

    @Override
    public void restrict(float[] logits) {
      if (made == 2) {
        throw new IllegalStateException("nothing fits");
      }
    }

    @Override
    public void accept(int id) {
      made++;
    }

    @Override
    public boolean isComplete() {
      return false;
    }

    @Override
    public TokenConstraint copy() {
      return new Twice();
    }
  }

  /// What no f32 holds as a probability still has its logarithm, and may be all that is allowed.
  @Test
  void averagedProbabilitiesDoNotVanish() {
    try (Scope scope = TestDevice.open()) {
      Tensor rows = scope.of(new float[] {0, -200, -150, 3, -207, -997}, 2, 3);
      double[] found = Parity.doubles(BatchPass.logOfMean(scope, rows));
      assertThat(found[0]).isCloseTo(0, within(1e-5));
      assertThat(found[1]).isCloseTo(-200 + Math.log((1 + Math.exp(-10)) / 2), within(1e-4));
      assertThat(found[2]).isCloseTo(-150 - Math.log(2), within(1e-4));
    }
  }

  @ParameterizedTest
  @EnumSource(Average.class)
  void constraintsHoldOfTheOneText(Average average) throws Exception {
    try (CausalLm model = open("llama");
        Engine engine = Engine.open(model, null, Set.of(), SMALL)) {
      AdapterHandle handle = engine.load("a", adapter("llama", "all-linear"));
      GenerationRequest request =
          GenerationRequest.of(prompt(6, 9), Sampling.greedy(6))
              .withAdapter(handle)
              .withEnsemble(new AdapterEnsemble(RATE, 3, 2, average));
      assertThat(choice(engine, request.withConstraint(new Only(41))).ids())
          .containsExactly(41, 41, 41, 41, 41, 41);
    }
  }

  /// Allows one id.
  private record Only(int id) implements TokenConstraint {
    @Override
    public void restrict(float[] logits) {
      for (int i = 0; i < logits.length; i++) {
        logits[i] = i == id ? logits[i] : Float.NEGATIVE_INFINITY;
      }
    }

    @Override
    public void accept(int made) {}

    @Override
    public boolean isComplete() {
      return false;
    }

    @Override
    public TokenConstraint copy() {
      return this;
    }
  }

  @Test
  void whatIsNoEnsembleIsRefused() throws Exception {
    for (int instances : new int[] {-1, 0, 101}) {
      assertThatThrownBy(() -> ensemble(instances, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("instances: found " + instances + ", expected 1 to 100");
    }
    assertThatThrownBy(() -> new AdapterEnsemble(1, 2, 0, Average.LOGITS))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(AdapterEnsemble.of(Dropout.loraDropout(RATE, 3), 4, Average.LOGITS))
        .isEqualTo(ensemble(3, 4));
    assertThatThrownBy(() -> AdapterEnsemble.of(Dropout.dropKey(0.1), 0, Average.LOGITS))
        .hasMessage("dropout: found masks other than an adapter's, expected lora-dropout's");
    assertThatThrownBy(() -> AdapterEnsemble.of(Dropout.NONE, 0, Average.LOGITS))
        .hasMessage("dropout: found no masks, expected lora-dropout's");
    assertThatThrownBy(() -> AdapterEnsemble.of(Dropout.loraDropout(0, 2), 0, Average.LOGITS))
        .hasMessage("rate: found 0.0, expected above 0, below 1");
    try (CausalLm model = open("llama")) {
      EngineOptions options = SMALL.withBatch(4, 7).withCacheBytes(4 * KvCache.pageBytes(model));
      try (Engine engine = Engine.open(model, null, Set.of(), options)) {
        GenerationRequest request =
            GenerationRequest.of(prompt(5, 20), Sampling.greedy(40)).withEnsemble(ensemble(2, 0));
        assertThatThrownBy(() -> engine.submit(request))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("ensemble: found no adapter, expected an adapter of the LoRA family");
        AdapterHandle handle = engine.load("a", adapter("llama", "default"));
        assertThatThrownBy(
                () -> engine.submit(request.withAdapter(handle).withEnsemble(ensemble(5, 0))))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "ensemble: found 5 draws, expected at most the 4 sequences that run side by side");
        assertThatThrownBy(
                () -> engine.submit(request.withAdapter(handle).withEnsemble(ensemble(3, 0))))
            .isInstanceOf(ShapeException.class)
            .hasMessage("prompt: found 20 ids, expected at most 16");
        // two of them have two pages each
        assertThat(choice(engine, request.withAdapter(handle)).ids()).hasSize(13);
        engine.unload("a");
        assertThatThrownBy(() -> engine.submit(request.withAdapter(handle)).await())
            .isInstanceOf(EngineException.class)
            .hasMessageContaining("it was unloaded");
      }
    }
  }
}
