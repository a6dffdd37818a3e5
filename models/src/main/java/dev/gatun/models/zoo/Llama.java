package dev.gatun.models.zoo;

import dev.gatun.runtime.MalformedFileException;

/// Llama 2 and 3: optional biases, rope scaling. Source: transformers, `modeling_llama.py`.
final class Llama {
  private Llama() {}

  static Architecture architecture(Config config) throws MalformedFileException {
    boolean attentionBias = config.flag("attention_bias", false);
    boolean mlpBias = config.flag("mlp_bias", false);
    return RotaryConfig.architecture(
        RotaryConfig.spec(
            config,
            "llama",
            0,
            0,
            10000,
            new RotaryConfig.Options(attentionBias, attentionBias, mlpBias, false, null, false)));
  }
}
