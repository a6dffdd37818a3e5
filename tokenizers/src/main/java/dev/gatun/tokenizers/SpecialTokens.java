package dev.gatun.tokenizers;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The tokens that begin, end and fill up texts.
///
/// @param addBos whether texts begin with `bos`, if the directory says so
record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt pad, Optional<Boolean> addBos) {
  private static final int MAX_BYTES = 16 << 20;

  static SpecialTokens read(Path directory, TokenizerJson json) throws IOException {
    Path settingsFile = directory.resolve("tokenizer_config.json");
    @Nullable ObjectNode settings = readIfThere(settingsFile);
    Path mapFile = directory.resolve("special_tokens_map.json");
    @Nullable ObjectNode map = readIfThere(mapFile);
    Path configFile = directory.resolve("config.json");
    @Nullable ObjectNode config = readIfThere(configFile);

    OptionalInt[] ids = new OptionalInt[3];
    String[] names = {"bos_token", "eos_token", "pad_token"};
    for (int i = 0; i < names.length; i++) {
      OptionalInt id = named(settingsFile, settings, names[i], json);
      if (id.isEmpty()) {
        id = named(mapFile, map, names[i], json);
      }
      ids[i] = id.isPresent() ? id : numbered(configFile, config, names[i] + "_id", json);
    }
    return new SpecialTokens(ids[0], ids[1], ids[2], addBos(settingsFile, settings));
  }

  private static @Nullable ObjectNode readIfThere(Path file) throws IOException {
    return Files.exists(file) ? StrictJson.read(file, MAX_BYTES) : null;
  }

  private static Optional<Boolean> addBos(Path file, @Nullable ObjectNode settings)
      throws MalformedFileException {
    JsonNode value = settings == null ? null : settings.get("add_bos_token");
    if (value == null || value.isNull()) {
      return Optional.empty();
    }
    if (!value.isBoolean()) {
      throw new MalformedFileException(
          file, "add_bos_token", StrictJson.kind(value), "true or false");
    }
    return Optional.of(value.booleanValue());
  }

  /// Returns the id of a token that is written out, as a string or as an object with `content`.
  private static OptionalInt named(
      Path file, @Nullable ObjectNode object, String key, TokenizerJson json)
      throws MalformedFileException {
    JsonNode value = object == null ? null : object.get(key);
    if (value == null || value.isNull()) {
      return OptionalInt.empty();
    }
    JsonNode text = value.isObject() ? value.get("content") : value;
    if (text == null || !text.isString()) {
      throw new MalformedFileException(
          file, key, StrictJson.kind(value), "a token, or an object with its content");
    }
    OptionalInt id = json.id(text.stringValue());
    if (id.isEmpty()) {
      throw new MalformedFileException(file, key, text.stringValue(), "a token of tokenizer.json");
    }
    return id;
  }

  /// Returns an id that is given as a number, or as a list whose first counts.
  private static OptionalInt numbered(
      Path file, @Nullable ObjectNode object, String key, TokenizerJson json)
      throws MalformedFileException {
    JsonNode value = object == null ? null : object.get(key);
    JsonNode first = value != null && value.isArray() ? value.get(0) : value;
    if (first == null || first.isNull()) {
      return OptionalInt.empty();
    }
    if (!first.isIntegralNumber() || !first.canConvertToInt()) {
      throw new MalformedFileException(file, key, StrictJson.kind(first), "a token id");
    }
    int id = first.intValue();
    // configurations carry ids of -1 or beyond the vocabulary for tokens the model does not use
    return id < 0 || id >= json.size() ? OptionalInt.empty() : OptionalInt.of(id);
  }
}
