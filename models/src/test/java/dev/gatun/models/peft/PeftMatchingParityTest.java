package dev.gatun.models.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class PeftMatchingParityTest {
  @TempDir Path folder;

  record Case(JsonNode json) {
    @Override
    public String toString() {
      return json.get("model").stringValue() + " " + json.get("config");
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    PeftFixture.section("cases").forEach(json -> cases.add(new Case(json)));
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithPeft(Case row) throws IOException {
    JsonNode expected = row.json();
    ModuleTree tree = PeftFixture.tree(expected.get("model").stringValue());
    Path file = folder.resolve("adapter_config.json");
    ObjectNode config = (ObjectNode) expected.get("config").deepCopy();
    config.put("peft_type", "LORA").put("task_type", "CAUSAL_LM");
    Files.writeString(file, config.toString());
    if (expected.has("error")) {
      assertThatThrownBy(() -> TargetMatcher.match(AdapterConfigJson.read(file), tree))
          .hasMessageMatching("(?s).*: found .*, expected .*");
      return;
    }
    TargetMatch match = TargetMatcher.match(AdapterConfigJson.read(file), tree);
    assertTargets(match, expected.get("targets"));
    assertThat(match.savedModules()).isEqualTo(PeftFixture.strings(expected.get("saved")));
    Map<String, List<Long>> tensors = PeftFixture.shapes(expected.get("tensors"));
    Map<String, List<Long>> known = AdapterKeys.optionalShapes(match, tree);
    Map<String, List<Long>> needed = AdapterKeys.shapes(match, tree);
    known.putAll(needed);
    assertThat(known).containsAllEntriesOf(tensors);
    assertThat(tensors).containsAllEntriesOf(needed);

    if (!expected.get("adapter_config").isNull()) {
      assertThat(AdapterConfigJson.toJson(match.config()))
          .isEqualTo(expected.get("adapter_config").stringValue());
    }
    AdapterConfigJson.write(file, match.config());
    TargetMatch again = TargetMatcher.match(AdapterConfigJson.read(file), tree);
    assertTargets(again, expected.get("targets"));
    assertThat(again.config()).isEqualTo(match.config());
  }

  private static void assertTargets(TargetMatch match, JsonNode expected) {
    assertThat(match.targets().stream().map(LoraTarget::module))
        .containsExactlyInAnyOrderElementsOf(expected.propertyNames());
    for (LoraTarget target : match.targets()) {
      JsonNode values = expected.get(target.module());
      assertThat(target.rank()).isEqualTo(values.get(0).intValue());
      assertThat(target.alpha()).isEqualTo(values.get(1).asDouble());
      assertThat(target.scaling())
          .isCloseTo(values.get(2).asDouble(), within(1e-15 * values.get(2).asDouble()));
    }
  }

  @Test
  void namesThatMatchNothingAreReported() {
    TargetModules names = new TargetModules.Names(List.of("q_proj", "k_prjo", "missing"));
    TargetMatch match = TargetMatcher.match(LoraConfig.of(8, 8, names), PeftFixture.tree("llama"));
    assertThat(match.unusedNames()).containsExactly("k_prjo", "missing");
  }

  @Test
  void whatIsNoLinearLayerIsRefusedByName() {
    assertThatThrownBy(() ->
            TargetMatcher.match(
                LoraConfig.of(8, 8, new TargetModules.Names(List.of("embed_tokens"))),
                PeftFixture.tree("llama")))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(
            "target_modules: found 'model.embed_tokens', which is no linear layer, expected names "
                + "among down_proj, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj");
  }
}
