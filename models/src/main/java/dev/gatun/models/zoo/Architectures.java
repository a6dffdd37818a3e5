package dev.gatun.models.zoo;

import dev.gatun.models.nn.Task;
import dev.gatun.runtime.MalformedFileException;

/// The architectures that Gatun knows, by `model_type`.
public final class Architectures {
  private Architectures() {}

  /// {@return how to build the model of a config: a decoder with its head over the vocabulary, or
  /// an encoder without a head}
  ///
  /// @param config the model's config.json
  /// @throws MalformedFileException if the type is unknown or a value cannot be used
  public static Architecture of(Config config) throws MalformedFileException {
    if (config.has("quantization_config")) {
      throw config.refused("quantization_config", "none: load the unquantised weights");
    }
    String type = config.text("model_type");
    return switch (type == null ? "" : type) {
      case "gpt2" -> Gpt2.architecture(config);
      case "llama" -> Llama.architecture(config);
      case "mistral" -> Mistral.architecture(config);
      case "qwen2" -> Qwen2.architecture(config);
      case "qwen3" -> Qwen3.architecture(config);
      case "roberta", "xlm-roberta" -> Roberta.architecture(config);
      case "deberta-v2" -> DebertaV2.architecture(config);
      default ->
          throw config.refused(
              "model_type",
              "gpt2, llama, mistral, qwen2, qwen3, roberta, xlm-roberta or deberta-v2");
    };
  }

  /// {@return how to build the encoder of a config, whatever heads its checkpoint has beside it}
  ///
  /// @param config the model's config.json
  /// @throws MalformedFileException if the type is unknown or a decoder's, or a value cannot be
  ///   used
  public static Architecture encoder(Config config) throws MalformedFileException {
    Architecture body = of(config);
    if (body.causal()) {
      throw config.refused("model_type", "an encoder: roberta, xlm-roberta or deberta-v2");
    }
    return Heads.without(body);
  }

  /// {@return how to build the model of a config with the head of a task}
  ///
  /// @param config the model's config.json
  /// @param task what the head is for
  /// @throws MalformedFileException if the type is unknown, has no such head, or a value cannot be
  ///   used
  public static Architecture of(Config config, Task task) throws MalformedFileException {
    return Heads.on(of(config), config, task);
  }
}
