package dev.gatun.models.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.op.Norm;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a beam search promises of any model, and what it refuses.
class BeamSearchTest {
  private static final int[] PROMPT = {9, 33, 71, 8, 64, 12, 90, 5, 41};

  private static CausalLm open(String name) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN);
  }

  private static BeamSearch.Options options(int beams, int tokens) {
    return new BeamSearch.Options(beams, tokens, 0, 0, 1, false);
  }

  /// Without a stop id or a penalty, a score is the logarithm of the text's probability, which a
  /// pass over the whole text gives too: the cache followed its beams.
  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama3", "mistral", "qwen3"})
  void scoresAreThoseOfFullForwardPasses(String name) throws IOException {
    long before = NativeMemory.liveTensors();
    try (CausalLm model = open(name)) {
      BeamSearch search = new BeamSearch(model, PassAddition.NONE, Set.of());
      List<BeamSearch.Hypothesis> found = search.search(PROMPT, options(5, 14)).hypotheses();
      assertThat(found).hasSize(5);
      assertThat(found).extracting(each -> Arrays.toString(each.ids())).doesNotHaveDuplicates();
      for (BeamSearch.Hypothesis each : found) {
        assertThat(each.ids()).hasSize(14);
        assertThat(each.stopped()).isFalse();
        assertThat(each.score()).isCloseTo(logProbability(model, each.ids()), within(1e-4));
      }
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  private static double logProbability(CausalLm model, int[] ids) {
    int[] all = Arrays.copyOf(PROMPT, PROMPT.length + ids.length);
    System.arraycopy(ids, 0, all, PROMPT.length, ids.length);
    try (Scope scope = TestDevice.open()) {
      double[] logs =
          Norm.logSoftmax(scope, Parity.logits(scope, model, PassAddition.NONE, all)).toDoubles();
      double sum = 0;
      for (int i = PROMPT.length; i < all.length; i++) {
        sum += logs[(i - 1) * model.vocabulary() + all[i]];
      }
      return sum;
    }
  }

  @Test
  void beamsOfTheWholeVocabularyFindTheLikeliestPair() throws IOException {
    try (CausalLm model = open("gpt2")) {
      BeamSearch search = new BeamSearch(model, PassAddition.NONE, Set.of());
      double found = search.search(PROMPT, options(96, 2)).hypotheses().getFirst().score();
      double best = Double.NEGATIVE_INFINITY;
      for (int first = 0; first < 96; first++) {
        for (int second = 0; second < 96; second += 7) {
          best = Math.max(best, logProbability(model, new int[] {first, second}));
        }
      }
      assertThat(found).isGreaterThanOrEqualTo(best - 1e-6);
    }
  }

  @Test
  void oneBeamIsGreedy() throws IOException {
    try (CausalLm model = open("llama")) {
      BeamSearch search = new BeamSearch(model, PassAddition.NONE, Set.of());
      int[] greedy =
          new Generator(model, PassAddition.NONE, Set.of())
              .generate(PROMPT, Sampling.greedy(12))
              .ids();
      assertThat(search.search(PROMPT, options(1, 12)).hypotheses().getFirst().ids())
          .containsExactly(greedy);
    }
  }

  @Test
  void searchEndsWhereThePositionsOrTheIdsDo() throws IOException {
    try (CausalLm model = open("gpt2")) {
      BeamSearch search = new BeamSearch(model, PassAddition.NONE, Set.of());
      int[] prompt = new int[45];
      Arrays.fill(prompt, 9);
      BeamSearch.Found found = search.search(prompt, options(3, 100));
      assertThat(found.hypotheses()).allSatisfy(each -> assertThat(each.ids()).hasSize(4));
      assertThat(found.tokensPerSecond()).isPositive();
      // a vocabulary of 96 without a repeated id: 8 others are in the prompt
      int[] others = {0, 1, 2, 3, 4, 5, 6, 7};
      BeamSearch.Options unique = new BeamSearch.Options(2, 40, 1, 1, 1, false);
      assertThat(search.search(others, unique).hypotheses())
          .allSatisfy(each ->
              assertThat(Arrays.stream(each.ids()).boxed()).doesNotHaveDuplicates().hasSize(40));
    }
  }

  @Test
  void settingsAndPromptsOutsideTheirRangeAreRefusedByName() throws IOException {
    refused(() -> new BeamSearch.Options(0, 1, 1, 0, 1, false), "beams: found 0");
    refused(() -> new BeamSearch.Options(1, 0, 1, 0, 1, false), "max_new_tokens: found 0");
    refused(
        () -> new BeamSearch.Options(1, 1, Double.NaN, 0, 1, false), "length_penalty: found NaN");
    refused(() -> new BeamSearch.Options(1, 1, 1, -1, 1, false), "no_repeat_ngram: found -1");
    refused(() -> new BeamSearch.Options(1, 1, 1, 0, 0, false), "repetition_penalty: found 0.0");
    try (CausalLm model = open("gpt2")) {
      BeamSearch search = new BeamSearch(model, PassAddition.NONE, Set.of());
      refused(() -> search.search(PROMPT, options(97, 1)), "beams: found 97");
      assertThatThrownBy(() -> search.search(new int[0], options(2, 1)))
          .isInstanceOf(ShapeException.class);
      assertThatThrownBy(() -> search.search(new int[] {96}, options(2, 1)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found id 96");
    }
  }

  private static void refused(Runnable call, String start) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(start)
        .hasMessageContaining(", expected ");
  }
}
