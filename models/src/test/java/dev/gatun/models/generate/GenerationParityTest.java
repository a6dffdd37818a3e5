package dev.gatun.models.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Greedy generation over the cache: the ids of transformers, and those of full forward passes.
class GenerationParityTest {
  /// One entry of `generate.json`.
  record Expected(
      String model,
      String adapter,
      int[] prompt,
      int maxNewTokens,
      double repetitionPenalty,
      int[] ids,
      boolean stopped) {
    @Override
    public String toString() {
      return model + " " + adapter + " " + Arrays.toString(prompt) + " " + repetitionPenalty;
    }
  }

  static Stream<Expected> cases() throws IOException {
    List<Expected> all = new ArrayList<>();
    for (String model : Parity.architectures()) {
      JsonNode list =
          JsonMapper.builder()
              .build()
              .readTree(Files.readString(Parity.model(model).resolve("generate.json")));
      for (JsonNode each : list) {
        all.add(
            new Expected(
                model,
                each.path("adapter").asString(""),
                ints(each.path("prompt")),
                each.path("max_new_tokens").asInt(),
                each.path("repetition_penalty").asDouble(),
                ints(each.path("ids")),
                each.path("stops_at_eos").asBoolean()));
      }
    }
    return all.stream();
  }

  private static int[] ints(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void greedyIdsEqualThoseOfTransformers(Expected expected) throws IOException {
    long before = NativeMemory.liveTensors();
    String variant = expected.adapter.isEmpty() ? "default" : expected.adapter;
    try (AdaptedModel adapted = AdaptedModel.open(expected.model, variant, DType.F32)) {
      PassAddition addition = expected.adapter.isEmpty() ? PassAddition.NONE : adapted.adapter();
      Set<Integer> stops = ModelDirectory.read(Parity.model(expected.model)).stopIds();
      assertThat(stops).containsExactly(2);
      Sampling greedy =
          Sampling.greedy(expected.maxNewTokens).withPenalties(expected.repetitionPenalty, 0, 0, 0);
      Generator.Generated found =
          new Generator(adapted.model(), addition, stops)
              .generate(expected.prompt, greedy, id -> true);
      int[] ids =
          expected.stopped ? Arrays.copyOf(expected.ids, expected.ids.length - 1) : expected.ids;
      assertThat(found.ids()).containsExactly(ids);
      assertThat(found.stopped()).isEqualTo(expected.stopped);
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  @Test
  void penaltyChangesMostTexts() throws IOException {
    List<Expected> penalised = cases().filter(each -> each.repetitionPenalty != 1).toList();
    int changed = 0;
    for (Expected expected : penalised) {
      String variant = expected.adapter.isEmpty() ? "default" : expected.adapter;
      try (AdaptedModel adapted = AdaptedModel.open(expected.model, variant, DType.F32)) {
        PassAddition addition = expected.adapter.isEmpty() ? PassAddition.NONE : adapted.adapter();
        int[] found =
            new Generator(adapted.model(), addition, Set.of(2))
                .generate(expected.prompt, Sampling.greedy(expected.maxNewTokens), id -> true)
                .ids();
        changed += Arrays.equals(found, expected.ids) ? 0 : 1;
      }
    }
    assertThat(changed).isGreaterThan(penalised.size() / 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama3", "mistral", "qwen3"})
  void cachePathEqualsFullForwardPasses(String name) throws IOException {
    int[] prompt = {9, 33, 71, 8, 64, 12, 90, 5, 41};
    try (CausalLm model =
        ModelDirectory.read(Parity.model(name))
            .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN)) {
      int[] found =
          new Generator(model, PassAddition.NONE, Set.of())
              .generate(prompt, Sampling.greedy(16), id -> true)
              .ids();
      assertThat(found).hasSize(16);
      int[] all = Arrays.copyOf(prompt, prompt.length + 16);
      for (int i = 0; i < 16; i++) {
        int length = prompt.length + i;
        all[length] = mostLikely(model, Arrays.copyOf(all, length));
      }
      assertThat(found).containsExactly(Arrays.copyOfRange(all, prompt.length, all.length));
    }
  }

  private static int mostLikely(CausalLm model, int[] ids) {
    try (Scope scope = TestDevice.open()) {
      Tensor logits = Parity.logits(scope, model, PassAddition.NONE, ids);
      double[] all = logits.toDoubles();
      int width = model.vocabulary();
      int best = 0;
      for (int i = 1; i < width; i++) {
        int row = (ids.length - 1) * width;
        if (all[row + i] > all[row + best]) {
          best = i;
        }
      }
      return best;
    }
  }
}
