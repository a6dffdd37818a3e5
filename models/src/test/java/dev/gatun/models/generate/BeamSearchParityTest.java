package dev.gatun.models.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Beam search: all texts of transformers' generate, in its order and with its scores.
class BeamSearchParityTest {
  /// One entry of `beams.json`.
  record Expected(String model, JsonNode json) {
    int[] prompt() {
      return ints(json.path("prompt"));
    }

    Set<Integer> stops() {
      return Arrays.stream(ints(json.path("stops"))).boxed().collect(Collectors.toSet());
    }

    int maxNewTokens() {
      return json.path("max_new_tokens").asInt();
    }

    int beams() {
      return json.path("settings").path("num_beams").asInt();
    }

    int noRepeatNgram() {
      return json.path("settings").path("no_repeat_ngram_size").asInt(0);
    }

    BeamSearch.Options options() {
      JsonNode settings = json.path("settings");
      return new BeamSearch.Options(
          beams(),
          maxNewTokens(),
          settings.path("length_penalty").asDouble(1),
          noRepeatNgram(),
          settings.path("repetition_penalty").asDouble(1),
          settings.path("early_stopping").asBoolean(false));
    }

    @Override
    public String toString() {
      return model + " " + json.path("adapter").asString("") + " " + json.path("settings");
    }
  }

  static Stream<Expected> cases() throws IOException {
    List<Expected> all = new ArrayList<>();
    for (String model : List.of("gpt2", "llama")) {
      String text = Files.readString(Parity.model(model).resolve("beams.json"));
      for (JsonNode each : JsonMapper.builder().build().readTree(text)) {
        all.add(new Expected(model, each));
      }
    }
    return all.stream();
  }

  private static int[] ints(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void textsAndScoresEqualThoseOfTransformers(Expected expected) throws IOException {
    long before = NativeMemory.liveTensors();
    String variant = expected.json.path("adapter").asString("");
    try (AdaptedModel adapted =
        AdaptedModel.open(expected.model, variant.isEmpty() ? "default" : variant, DType.F32)) {
      PassAddition addition = variant.isEmpty() ? PassAddition.NONE : adapted.adapter();
      JsonNode texts = expected.json.path("hypotheses");
      if (expected.beams() == 1) {
        Sampling greedy =
            Sampling.greedy(expected.maxNewTokens())
                .withPenalties(1, 0, 0, expected.noRepeatNgram());
        Generator generator = new Generator(adapted.model(), addition, expected.stops());
        Generator.Generated found = generator.generate(expected.prompt(), greedy);
        compare(found.ids(), found.stopped(), texts.get(0), expected);
      } else {
        List<BeamSearch.Hypothesis> found =
            new BeamSearch(adapted.model(), addition, expected.stops())
                .search(expected.prompt(), expected.options())
                .hypotheses();
        assertThat(found).hasSize(texts.size());
        for (int i = 0; i < found.size(); i++) {
          BeamSearch.Hypothesis each = found.get(i);
          compare(each.ids(), each.stopped(), texts.get(i), expected);
          assertThat(each.score()).isCloseTo(texts.get(i).path("score").asDouble(), within(1e-4));
        }
      }
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  private static void compare(int[] ids, boolean stopped, JsonNode text, Expected expected) {
    int[] all = ints(text.path("ids"));
    boolean ends = expected.stops().contains(all[all.length - 1]);
    assertThat(ids).containsExactly(ends ? Arrays.copyOf(all, all.length - 1) : all);
    assertThat(stopped).isEqualTo(ends);
  }
}
