package dev.gatun.models.zoo;

import dev.gatun.models.nn.Rotary;
import dev.gatun.models.nn.RotaryDecoder;
import dev.gatun.runtime.MalformedFileException;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/// The keys of config.json that all rotary decoders read alike.
final class RotaryConfig {
  private RotaryConfig() {}

  /// Returns sizes and options with the defaults of Llama; the caller says in which its family
  /// differs.
  ///
  /// @param config the file
  /// @param modelType the family
  /// @param keyHeads default of `num_key_value_heads`; 0 for as many as query heads
  /// @param headDim default of `head_dim`; 0 for width / heads
  /// @param theta default of `rope_theta`
  /// @param options biases and norms
  static RotaryDecoder.Spec spec(
      Config config, String modelType, int keyHeads, int headDim, double theta, Options options)
      throws MalformedFileException {
    config.expect("hidden_act", "silu", "silu");
    int width = config.positive("hidden_size", 4096);
    int heads = config.positive("num_attention_heads", 32);
    int groups = config.positive("num_key_value_heads", keyHeads == 0 ? heads : keyHeads);
    config.divides("num_attention_heads", heads, "num_key_value_heads", groups);
    if (!config.has("head_dim") && headDim == 0) {
      config.divides("hidden_size", width, "num_attention_heads", heads);
    }
    int dim = config.positive("head_dim", headDim == 0 ? width / heads : headDim);
    if (dim % 2 != 0) {
      throw config.refused("head_dim", "an even number");
    }
    int layers = layers(config);
    int positions = config.positive("max_position_embeddings", 2048);
    return new RotaryDecoder.Spec(
        modelType,
        config.positive("vocab_size", 32000),
        width,
        config.positive("intermediate_size", 11008),
        layers,
        heads,
        groups,
        dim,
        config.positiveReal("rms_norm_eps", 1e-6),
        rotary(config, theta, dim, positions),
        positions,
        options.qkvBias,
        options.outBias,
        options.mlpBias,
        options.headNorm,
        options.windows == null ? Collections.nCopies(layers, 0) : options.windows,
        config.flag("tie_word_embeddings", options.tied),
        config.positiveReal("initializer_range", 0.02));
  }

  static int layers(Config config) throws MalformedFileException {
    return config.within("num_hidden_layers", 32, 1, Architecture.MAX_LAYERS);
  }

  /// Returns `sliding_window`, 0 for none. transformers: a missing key means 4096, an explicit null
  /// means none.
  static int slidingWindow(Config config) throws MalformedFileException {
    boolean none = config.json().has("sliding_window") && !config.has("sliding_window");
    return none ? 0 : config.positive("sliding_window", 4096);
  }

  /// In what a family differs from another.
  ///
  /// @param windows keys seen by each layer, or null for all
  /// @param tied default of `tie_word_embeddings`
  record Options(
      boolean qkvBias,
      boolean outBias,
      boolean mlpBias,
      boolean headNorm,
      @org.jspecify.annotations.Nullable List<Integer> windows,
      boolean tied) {}

  static Architecture architecture(RotaryDecoder.Spec spec) {
    return new Architecture(
        spec.width(),
        true,
        spec.parameters(),
        Set.of(),
        "model.",
        spec.tied() ? "lm_head.weight" : "",
        "(model\\.)?layers\\.\\d+\\.self_attn\\.rotary_emb\\.inv_freq",
        spec.initStd(),
        weights -> new RotaryDecoder(spec, weights));
  }

  /// Reads both generations of the keys: `rope_parameters`, or `rope_theta` with `rope_scaling`.
  private static Rotary rotary(Config config, double theta, int headDim, int positions)
      throws MalformedFileException {
    config.expectObject("rope_parameters");
    config.expectObject("rope_scaling");
    String at = config.has("rope_parameters") ? "rope_parameters." : "rope_scaling.";
    if (config.has("rope_parameters") && config.has("rope_scaling")) {
      throw config.refused("rope_scaling", "either rope_parameters or rope_scaling");
    }
    String thetaKey = config.has(at + "rope_theta") ? at + "rope_theta" : "rope_theta";
    Rotary plain = Rotary.of(config.positiveReal(thetaKey, theta), headDim);
    if (config.has(at + "partial_rotary_factor") || config.has("partial_rotary_factor")) {
      String key = config.has("partial_rotary_factor") ? "" : at;
      if (config.positiveReal(key + "partial_rotary_factor", 1) != 1) {
        throw config.refused(key + "partial_rotary_factor", "1");
      }
    }
    String typeKey = config.has(at + "rope_type") ? at + "rope_type" : at + "type";
    String type = config.text(typeKey);
    return switch (type == null ? "default" : type) {
      case "default" -> plain;
      case "linear" -> plain.linear(config.positiveReal(at + "factor"));
      case "llama3" -> {
        double low = config.positiveReal(at + "low_freq_factor");
        double high = config.positiveReal(at + "high_freq_factor");
        if (high <= low) {
          throw config.refused(at + "high_freq_factor", "more than low_freq_factor = " + low);
        }
        yield plain.llama3(
            config.positiveReal(at + "factor"),
            low,
            high,
            config.positive(at + "original_max_position_embeddings", positions));
      }
      default -> throw config.refused(typeKey, "default, linear or llama3");
    };
  }
}
