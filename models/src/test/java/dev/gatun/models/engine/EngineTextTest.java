package dev.gatun.models.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.constrain.Grammar;
import dev.gatun.models.constrain.GrammarConstraint;
import dev.gatun.models.constrain.TokenText;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.generate.TokenConstraint;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Texts of an engine: pieces of characters, stop texts, constraints, biases; and embeddings.
class EngineTextTest {
  /// The tiny models' 96 ids as text: two ids make a letter of two bytes, 2 ends.
  private static final Tokenizer HALVES =
      new Tokenizer() {
        @Override
        public int[] encode(String text) {
          byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
          int[] ids = new int[bytes.length];
          for (int i = 0; i < ids.length; i++) {
            ids[i] = id(bytes[i]);
          }
          return ids;
        }

        private static int id(byte value) {
          for (int id = 3; id < 96; id++) {
            if (value(id) == value) {
              return id;
            }
          }
          throw new IllegalArgumentException("byte " + value);
        }

        private static byte value(int id) {
          if (id < 64) {
            return (byte) (id + ' '); // # to _
          }
          return id < 80 ? (byte) 0xc3 : (byte) (0xa0 + id - 80);
        }

        @Override
        public String decode(int[] ids, boolean withSpecialTokens) {
          byte[] bytes = new byte[ids.length];
          int size = 0;
          for (int id : ids) {
            if (id >= 3) {
              bytes[size++] = value(id);
            }
          }
          return new String(bytes, 0, size, StandardCharsets.UTF_8);
        }

        @Override
        public byte[] bytes(int id) {
          return id < 3 ? new byte[0] : new byte[] {value(id)};
        }

        @Override
        public int vocabularySize() {
          return 96;
        }

        @Override
        public boolean beginsDocuments() {
          return false;
        }

        @Override
        public OptionalInt bosId() {
          return OptionalInt.empty();
        }

        @Override
        public OptionalInt eosId() {
          return OptionalInt.of(2);
        }

        @Override
        public OptionalInt padId() {
          return OptionalInt.empty();
        }
      };

  private CausalLm model;
  private Engine engine;

  @BeforeEach
  @SuppressWarnings("MustBeClosedChecker") // closed after each test
  void open() throws IOException {
    model =
        ModelDirectory.read(Parity.model("llama"))
            .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
    engine = Engine.open(model, HALVES, Set.of(2), EngineOptions.DEFAULT.withCacheBytes(1 << 20));
  }

  @AfterEach
  void close() {
    engine.close();
    model.close();
  }

  private static GenerationRequest request(Sampling sampling) {
    return GenerationRequest.of(new int[] {8, 40, 71}, sampling).withStops(List.of(), true);
  }

  private static Sampling drawn(int seed) {
    return Sampling.greedy(40).withChoice(1.3, 0, 1, 0).withSeed(seed);
  }

  @Test
  void piecesOfCharactersWaitForTheirRest() throws Exception {
    boolean waited = false;
    for (int seed = 0; seed < 6; seed++) {
      Generation generation = engine.submit(request(drawn(seed)));
      StringBuilder text = new StringBuilder();
      List<Integer> ids = new ArrayList<>();
      while (generation.take() instanceof GenerationEvent.Text piece) {
        waited |= piece.text().isEmpty();
        text.append(piece.text());
        piece.tokens().forEach(token -> ids.add(token.id()));
      }
      int[] all = ids.stream().mapToInt(Integer::intValue).toArray();
      assertThat(text).hasToString(HALVES.decode(all, false));
    }
    assertThat(waited).isTrue();
  }

  /// Every cut of a text, each of its substrings a stop text: what comes is what stands before it.
  @Test
  void stopTextsEndTheTextBeforeThem() throws Exception {
    Generation.Choice whole = engine.submit(request(drawn(1))).await().choices().getFirst();
    assertThat(whole.reason()).isEqualTo(FinishReason.LENGTH);
    int tried = 0;
    for (int from = 0; from < whole.text().length(); from += 3) {
      for (int length : new int[] {1, 2, 5}) {
        if (from + length > whole.text().length()) {
          continue;
        }
        String stop = whole.text().substring(from, from + length);
        Generation.Choice cut =
            engine
                .submit(request(drawn(1)).withStops(List.of(stop, "never there at all"), true))
                .await()
                .choices()
                .getFirst();
        assertThat(cut.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));
        assertThat(cut.reason()).isEqualTo(FinishReason.STOP);
        tried++;
      }
    }
    assertThat(tried).isGreaterThan(20);
    Generation.Choice other =
        engine
            .submit(request(drawn(1)).withStops(List.of(whole.text() + "and more"), true))
            .await()
            .choices()
            .getFirst();
    assertThat(other.text()).as("what was held back is told at the end").isEqualTo(whole.text());
  }

  @Test
  void stopIdsEndATextUnlessIgnored() throws Exception {
    Sampling towards = Sampling.greedy(9).withLogitBias(Map.of(2, 1000.0));
    GenerationRequest stopping =
        GenerationRequest.of(new int[] {8}, towards).withStops(List.of(), false);
    Generation.Result ended = engine.submit(stopping).await();
    assertThat(ended.choices().getFirst().ids()).isEmpty();
    assertThat(ended.choices().getFirst().reason()).isEqualTo(FinishReason.STOP);
    assertThat(ended.usage().completionTokens()).isEqualTo(1);
    Generation.Result going = engine.submit(stopping.withStops(List.of(), true)).await();
    assertThat(going.choices().getFirst().ids()).containsOnly(2).hasSize(9);
    assertThat(going.choices().getFirst().text()).isEmpty();
  }

  @Test
  void constraintsHoldForEachChoice() throws Exception {
    Grammar grammar = Grammar.regex("(ABC|[0-9]{3,5}é+)X");
    TokenConstraint constraint = new GrammarConstraint(grammar, TokenText.of(HALVES), Set.of(2));
    Set<String> texts = new HashSet<>();
    for (int seed = 0; seed < 8; seed++) {
      GenerationRequest request =
          GenerationRequest.of(new int[] {8, 9}, drawn(seed))
              .withConstraint(constraint)
              .withChoices(3);
      for (Generation.Choice choice : engine.submit(request).await().choices()) {
        if (choice.reason() == FinishReason.STOP) {
          assertThat(choice.text()).matches("(ABC|[0-9]{3,5}é+)X");
          texts.add(choice.text());
        }
      }
    }
    assertThat(texts).hasSizeGreaterThan(3);
  }

  /// A constraint that allows nothing, or that cannot be copied, or that refuses what it allowed.
  private record Faulty(boolean copies, boolean allows) implements TokenConstraint {
    @Override
    public void restrict(float[] logits) {
      if (!allows) {
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
      }
    }

    @Override
    public void accept(int id) {
      throw new IllegalArgumentException("id " + id);
    }

    @Override
    public boolean isComplete() {
      return false;
    }

    @Override
    public TokenConstraint copy() {
      if (!copies) {
        throw new IllegalStateException("no copy");
      }
      return this;
    }
  }

  @Test
  void faultyConstraintsFailTheirRequestsAlone() throws Exception {
    AdapterHandle adapter =
        engine.load("a", Parity.model("llama").resolve("adapters").resolve("default"));
    Generation beside = engine.submit(request(Sampling.greedy(30)).withAdapter(adapter));
    assertFails(new Faulty(true, false), adapter, EngineException.Kind.CONSTRAINT, "no id");
    assertFails(new Faulty(false, true), adapter, EngineException.Kind.FAILED, "no copy");
    assertFails(new Faulty(true, true), adapter, EngineException.Kind.FAILED, "id ");
    assertThat(beside.await().choices().getFirst().ids()).hasSize(30);
    assertThat(engine.stats().failures()).isEqualTo(3);
    assertThat(engine.stats().running()).isZero();
    engine.unload("a");
    engine.embed(List.of(new int[] {5}), null); // after the unloading
    engine.submit(request(Sampling.greedy(1))).await();
    assertThat(engine.stats().loadedAdapters()).as("none uses it any more").isZero();
  }

  private void assertFails(
      TokenConstraint constraint, AdapterHandle adapter, EngineException.Kind kind, String part) {
    GenerationRequest request =
        request(Sampling.greedy(5)).withAdapter(adapter).withConstraint(constraint).withChoices(2);
    assertThatThrownBy(() -> engine.submit(request).await())
        .hasMessageContaining(part)
        .isInstanceOfSatisfying(EngineException.class, e -> assertThat(e.kind()).isEqualTo(kind));
  }

  @Test
  void penaltiesAndMinP() throws Exception {
    int[] plain = ids(Sampling.greedy(40));
    int[] penalised = ids(Sampling.greedy(40).withPenalties(1, 0, 2, 0));
    assertThat(Arrays.stream(penalised).distinct().count())
        .isGreaterThan(Arrays.stream(plain).distinct().count());
    assertThat(ids(drawn(3))).isNotEqualTo(plain);
    assertThat(ids(Sampling.greedy(40).withChoice(1.3, 0, 1, 1).withSeed(3)))
        .as("only the likeliest reaches its own probability")
        .containsExactly(plain);
  }

  private int[] ids(Sampling sampling) throws InterruptedException {
    return engine.submit(request(sampling)).await().choices().getFirst().ids();
  }

  @Test
  void embeddingsAreMeansOfLengthOne() throws Exception {
    AdapterHandle adapter =
        engine.load("a", Parity.model("llama").resolve("adapters").resolve("all-linear"));
    int[] text = {5, 60, 7, 33};
    float[][] found = engine.embed(List.of(text, new int[] {9}), null);
    try (Scope scope = TestDevice.open()) {
      ForwardPass pass = ForwardPass.of(scope, model, text, 0, 4).build();
      double[] hidden = Parity.doubles(model.hidden(scope, pass, false));
      double[] mean = new double[model.width()];
      double squares = 0;
      for (int i = 0; i < mean.length; i++) {
        for (int t = 0; t < 4; t++) {
          mean[i] += hidden[t * mean.length + i] / 4;
        }
        squares += mean[i] * mean[i];
      }
      for (int i = 0; i < mean.length; i++) {
        assertThat((double) found[0][i]).isCloseTo(mean[i] / Math.sqrt(squares), within(1e-5));
      }
    }
    assertThat(engine.embed(List.of(text), adapter)[0]).isNotEqualTo(found[0]);
    assertThatThrownBy(() -> engine.embed(List.of(new int[0]), null))
        .isInstanceOf(ShapeException.class);
    engine.unload("a");
    assertThatThrownBy(() -> engine.embed(List.of(text), adapter))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("unloaded");
  }
}
