package dev.gatun.models.engine;

import dev.gatun.models.zoo.Config;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// How an encoder's activations become embeddings.
///
/// @param pooling what of a text's activations is taken
/// @param normalised whether embeddings are divided by their length (L2)
/// @param maxTokens ids of a text at most, special tokens included; 0 for as many as the model has
///   positions
public record EmbeddingSettings(Pooling pooling, boolean normalised, int maxTokens) {
  /// What a directory that does not say otherwise gets: the mean, normalised.
  public static final EmbeddingSettings DEFAULT = new EmbeddingSettings(Pooling.MEAN, true, 0);

  private static final String MODULES = "modules.json";
  private static final String POOLING = "config.json";
  private static final String SENTENCES = "sentence_bert_config.json";
  private static final String PROMPTS = "config_sentence_transformers.json";

  /// Names of poolings: the flags of `Pooling`'s config, and the short ones.
  private static final Map<String, Pooling> NAMES =
      Map.of("mean", Pooling.MEAN, "cls", Pooling.FIRST, "lasttoken", Pooling.LAST);

  private static final List<String> FLAGS =
      List.of(
          "pooling_mode_cls_token",
          "pooling_mode_mean_tokens",
          "pooling_mode_lasttoken",
          "pooling_mode_max_tokens",
          "pooling_mode_mean_sqrt_len_tokens",
          "pooling_mode_weightedmean_tokens");

  /// Checks the range.
  public EmbeddingSettings {
    if (maxTokens < 0) {
      throw new IllegalArgumentException(
          "maximum tokens: found " + maxTokens + ", expected 0 or more");
    }
  }

  /// Reads what a directory of sentence-transformers says of itself.
  ///
  /// | file | what is taken from it |
  /// |---|---|
  /// | `modules.json` | that a pooling follows the model, where its settings are, and whether embeddings are normalised |
  /// | `1_Pooling/config.json`, or where `modules.json` says | which token or the mean |
  /// | `sentence_bert_config.json`, optional | `max_seq_length` |
  ///
  /// What would change embeddings and is not known here is refused: other modules (`Dense`), other
  /// poolings, `do_lower_case`, a prompt in front of each text (`default_prompt_name`).
  ///
  /// @param directory a model directory
  /// @return its settings, or [#DEFAULT] where it has no `modules.json`
  /// @throws MalformedFileException if one of the files breaks its rules, or asks for what is not
  ///   known
  /// @throws IOException if a file cannot be read
  public static EmbeddingSettings read(Path directory) throws IOException {
    Path file = directory.resolve(MODULES);
    if (!Files.isRegularFile(file)) {
      return DEFAULT;
    }
    Pooling pooling = null;
    boolean normalised = false;
    for (JsonNode module : modules(file)) {
      String type = module.path("type").asString("");
      String path = module.path("path").asString("");
      switch (type.substring(type.lastIndexOf('.') + 1)) {
        case "Transformer" -> {
          if (!path.isEmpty()) {
            throw new MalformedFileException(
                file, "path", "'" + path + "' of the model", "its files in the folder itself");
          }
        }
        case "Pooling" -> pooling = pooling(Config.read(directory.resolve(path), POOLING));
        case "Normalize" -> normalised = true;
        default ->
            throw new MalformedFileException(
                file, "type", "'" + type + "'", "Transformer, Pooling or Normalize");
      }
    }
    if (pooling == null) {
      throw new MalformedFileException(file, "type", "no Pooling", "one");
    }
    return new EmbeddingSettings(pooling, normalised, maxTokens(directory));
  }

  private static JsonNode modules(Path file) throws IOException {
    JsonNode modules;
    try {
      modules = StrictJson.mapper().readTree(Files.readString(file));
    } catch (JacksonException e) {
      throw new MalformedFileException(
          file, "file", String.valueOf(e.getOriginalMessage()), "a list of modules");
    }
    if (!modules.isArray()) {
      throw new MalformedFileException(file, "file", StrictJson.kind(modules), "a list of modules");
    }
    return modules;
  }

  private static Pooling pooling(Config config) throws MalformedFileException {
    if (!config.flag("include_prompt", true)) {
      throw config.refused("include_prompt", "true");
    }
    String name = config.text("pooling_mode");
    String key = "pooling_mode";
    for (String flag : FLAGS) {
      if (config.flag(flag, false)) {
        if (name != null) {
          throw config.refused(flag, "one pooling");
        }
        key = flag;
        name = flag.substring("pooling_mode_".length()).replaceFirst("_tokens?$", "");
      }
    }
    Pooling pooling = known(name);
    if (pooling == null) {
      throw config.refused(key, "the pooling of the first token, the last or their mean");
    }
    return pooling;
  }

  private static @Nullable Pooling known(@Nullable String name) {
    return name == null ? null : NAMES.get(name);
  }

  private static int maxTokens(Path directory) throws IOException {
    if (Files.isRegularFile(directory.resolve(PROMPTS))) {
      Config prompts = Config.read(directory, PROMPTS);
      if (prompts.has("default_prompt_name")) {
        throw prompts.refused("default_prompt_name", "none: put the prompt before the texts");
      }
    }
    if (!Files.isRegularFile(directory.resolve(SENTENCES))) {
      return 0;
    }
    Config sentences = Config.read(directory, SENTENCES);
    sentences.expectBoolean("do_lower_case", false);
    return sentences.positive("max_seq_length", Integer.MAX_VALUE);
  }
}
