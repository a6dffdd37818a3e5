package dev.gatun.models.peft;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What the real PEFT said: `fixtures/peft_matching.py` wrote it.
final class PeftFixture {
  static final JsonMapper MAPPER = new JsonMapper();
  private static final JsonNode ROOT = load();
  private static final Map<String, ModuleTree> TREES = trees();

  private PeftFixture() {}

  static JsonNode section(String name) {
    return ROOT.get(name);
  }

  static ModuleTree tree(String name) {
    return Objects.requireNonNull(TREES.get(name));
  }

  static List<Long> longs(JsonNode array) {
    List<Long> longs = new ArrayList<>();
    array.forEach(item -> longs.add(item.longValue()));
    return longs;
  }

  static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(item -> strings.add(item.stringValue()));
    return strings;
  }

  static Map<String, List<Long>> shapes(JsonNode object) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    object.properties().forEach(e -> shapes.put(e.getKey(), longs(e.getValue())));
    return shapes;
  }

  private static Map<String, ModuleTree> trees() {
    Map<String, ModuleTree> trees = new LinkedHashMap<>();
    for (JsonNode model : ROOT.get("models")) {
      Map<String, ModuleTree.Linear> linear = new LinkedHashMap<>();
      model
          .get("linear")
          .properties()
          .forEach(e ->
              linear.put(
                  e.getKey(),
                  new ModuleTree.Linear(
                      e.getValue().get(0).longValue(), e.getValue().get(1).longValue())));
      trees.put(
          model.get("name").stringValue(),
          new ModuleTree(
              model.get("model_type").stringValue(),
              strings(model.get("modules")),
              linear,
              model.get("output_head").stringValue(),
              shapes(model.get("parameters")),
              model.get("fan_in_fan_out").booleanValue()));
    }
    return trees;
  }

  private static JsonNode load() {
    try (InputStream in =
        Objects.requireNonNull(PeftFixture.class.getResourceAsStream("/peft/matching.json"))) {
      return MAPPER.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
