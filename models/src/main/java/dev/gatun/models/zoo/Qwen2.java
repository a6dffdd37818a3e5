package dev.gatun.models.zoo;

import dev.gatun.runtime.MalformedFileException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Qwen2 and Qwen2.5: Llama with biases on q, k and v, fixed in code. Source: transformers,
/// `modeling_qwen2.py`.
final class Qwen2 {
  private Qwen2() {}

  static Architecture architecture(Config config) throws MalformedFileException {
    return RotaryConfig.architecture(
        RotaryConfig.spec(
            config,
            "qwen2",
            32,
            0,
            10000,
            new RotaryConfig.Options(true, false, false, false, windows(config), false)));
  }

  /// Returns the window of each layer: `layer_types` says, or else `use_sliding_window` for the
  /// layers from `max_window_layers` on.
  static List<Integer> windows(Config config) throws MalformedFileException {
    int layers = RotaryConfig.layers(config);
    boolean sliding = config.flag("use_sliding_window", false);
    int window = sliding ? RotaryConfig.slidingWindow(config) : 0;
    int first = config.within("max_window_layers", 28, 0, Integer.MAX_VALUE);
    JsonNode types = config.json().path("layer_types");
    boolean listed = config.has("layer_types");
    if (listed && (!types.isArray() || types.size() != layers)) {
      throw config.refused(
          "layer_types", "a list with one entry for each of the " + layers + " layers");
    }
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean slides = i >= first;
      if (listed) {
        slides =
            switch (types.path(i).asString("")) {
              case "full_attention" -> false;
              case "sliding_attention" -> true;
              default -> throw config.refused("layer_types", "full_attention or sliding_attention");
            };
        if (slides && window == 0) {
          String key = sliding ? "sliding_window" : "use_sliding_window";
          String expected = sliding ? "a number" : "true";
          throw config.refused(key, expected + ", as layer_types has sliding layers");
        }
      }
      windows.add(slides ? window : 0);
    }
    return windows;
  }
}
