package dev.gatun.models.zoo;

import dev.gatun.runtime.MalformedFileException;
import java.util.Collections;
import java.util.List;

/// Mistral: Llama without biases, with a sliding window in every layer. Source: transformers,
/// `modeling_mistral.py`.
final class Mistral {
  private Mistral() {}

  static Architecture architecture(Config config) throws MalformedFileException {
    int layers = RotaryConfig.layers(config);
    // transformers: a missing key means 4096, an explicit null means none
    boolean none = config.json().has("sliding_window") && !config.has("sliding_window");
    int window = none ? 0 : config.positive("sliding_window", 4096);
    List<Integer> windows = Collections.nCopies(layers, window);
    return RotaryConfig.architecture(
        RotaryConfig.spec(
            config,
            "mistral",
            8,
            0,
            10000,
            new RotaryConfig.Options(false, false, false, false, windows, false)));
  }
}
