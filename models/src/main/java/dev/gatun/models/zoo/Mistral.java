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
    List<Integer> windows = Collections.nCopies(layers, RotaryConfig.slidingWindow(config));
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
