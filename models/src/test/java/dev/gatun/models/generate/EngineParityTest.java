package dev.gatun.models.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.Engine;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent.Token;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// transformers' texts, all in one batch of an engine with eight adapters; and the logarithms of
/// their tokens' probabilities along the way.
class EngineParityTest {
  private static final int COPIES = 8;

  static List<String> models() {
    return Parity.architectures();
  }

  @ParameterizedTest
  @MethodSource("models")
  void mixedBatchGivesTheTextsOfTransformers(String name) throws Exception {
    List<GenerationParityTest.Expected> cases =
        GenerationParityTest.cases().filter(each -> each.model().equals(name)).toList();
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.openShared(TestDevice.DEVICE)) {
      Map<String, PassAddition> additions = new HashMap<>(Map.of("", PassAddition.NONE));
      List<Generation> all = new ArrayList<>();
      try (Engine engine =
          Engine.open(model, null, Set.of(2), EngineOptions.DEFAULT.withCacheBytes(4 << 20))) {
        for (int copy = 0; copy < COPIES; copy++) {
          for (GenerationParityTest.Expected each : cases) {
            AdapterHandle adapter = null;
            if (!each.adapter().isEmpty()) {
              Path path = Parity.model(name).resolve("adapters").resolve(each.adapter());
              String key = each.adapter() + copy;
              adapter =
                  engine.adapter(key).isPresent()
                      ? engine.adapter(key).get()
                      : engine.load(key, path);
              if (!additions.containsKey(each.adapter())) {
                additions.put(each.adapter(), LoraAdapter.load(scope, model, path));
              }
            }
            Sampling greedy =
                Sampling.greedy(each.maxNewTokens())
                    .withPenalties(each.repetitionPenalty(), 0, 0, 0);
            all.add(
                engine.submit(
                    GenerationRequest.of(each.prompt(), greedy)
                        .withAdapter(adapter)
                        .withLogprobs(0)));
          }
        }
        for (int i = 0; i < all.size(); i++) {
          GenerationParityTest.Expected each = cases.get(i % cases.size());
          Generation.Choice choice = all.get(i).await().choices().getFirst();
          int length = each.ids().length - (each.stopped() ? 1 : 0);
          assertThat(choice.ids()).as("%s", each).containsExactly(Arrays.copyOf(each.ids(), length));
          assertLogprobs(model, additions.get(each.adapter()), each.prompt(), choice.tokens());
        }
      }
    }
  }

  private static void assertLogprobs(
      CausalLm model, PassAddition addition, int[] prompt, List<Token> tokens) {
    int[] text = Arrays.copyOf(prompt, prompt.length + tokens.size());
    for (int i = 0; i < tokens.size(); i++) {
      text[prompt.length + i] = tokens.get(i).id();
    }
    try (Scope scope = TestDevice.open()) {
      double[] logits = Parity.doubles(Parity.logits(scope, model, addition, text));
      int width = model.vocabulary();
      for (int i = 0; i < tokens.size(); i++) {
        int row = (prompt.length + i - 1) * width;
        double sum = 0;
        for (int id = 0; id < width; id++) {
          sum += Math.exp(logits[row + id]);
        }
        double expected = logits[row + tokens.get(i).id()] - Math.log(sum);
        assertThat(tokens.get(i).logprob()).as("token %d", i).isCloseTo(expected, within(1e-4));
      }
    }
  }
}
