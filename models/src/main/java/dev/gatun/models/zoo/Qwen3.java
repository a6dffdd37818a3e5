package dev.gatun.models.zoo;

import dev.gatun.runtime.MalformedFileException;

/// Qwen3: Llama with a norm of each query and key head before its rotation. Source: transformers,
/// `modeling_qwen3.py`.
final class Qwen3 {
  private Qwen3() {}

  static Architecture architecture(Config config) throws MalformedFileException {
    boolean bias = config.flag("attention_bias", false);
    return RotaryConfig.architecture(
        RotaryConfig.spec(
            config,
            "qwen3",
            32,
            128,
            10000,
            new RotaryConfig.Options(bias, bias, false, true, Qwen2.windows(config), false)));
  }
}
