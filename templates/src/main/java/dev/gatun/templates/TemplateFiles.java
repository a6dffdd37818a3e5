package dev.gatun.templates;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What the files of a model directory say on its conversations.
///
/// @param file where the template is from
/// @param source the template
/// @param tokens `bos_token` and the like with their texts, without those the model lacks
record TemplateFiles(Path file, String source, Map<String, String> tokens) {
  private static final int MAX_JSON_BYTES = 16 << 20;
  private static final int MAX_TEMPLATE_BYTES = 1 << 20;
  private static final List<String> TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  static Optional<TemplateFiles> read(Path directory) throws IOException {
    Path templateFile = directory.resolve("chat_template.jinja");
    Path settingsFile = directory.resolve("tokenizer_config.json");
    ObjectNode settings = object(settingsFile);
    Map<String, String> tokens = tokens(directory, settingsFile, settings);
    if (Files.exists(templateFile)) {
      return Optional.of(new TemplateFiles(templateFile, text(templateFile), tokens));
    }
    JsonNode template = settings == null ? null : settings.get("chat_template");
    if (template == null || template.isNull()) {
      return Optional.empty();
    }
    return Optional.of(new TemplateFiles(settingsFile, source(settingsFile, template), tokens));
  }

  private static @Nullable ObjectNode object(Path file) throws IOException {
    return Files.exists(file) ? StrictJson.read(file, MAX_JSON_BYTES) : null;
  }

  private static String text(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_TEMPLATE_BYTES + 1);
    }
    if (bytes.length > MAX_TEMPLATE_BYTES) {
      throw new MalformedFileException(
          file,
          "file",
          "more than " + MAX_TEMPLATE_BYTES + " bytes",
          "at most " + MAX_TEMPLATE_BYTES);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new MalformedFileException(file, "file", "bytes that are not UTF-8", "UTF-8 text");
    }
  }

  /// Returns the template: a string, or of several with names the one named `default`.
  private static String source(Path file, JsonNode template) throws MalformedFileException {
    JsonNode chosen = template;
    if (template instanceof ObjectNode byName) {
      chosen = byName.get("default");
    } else if (template.isArray()) {
      chosen = null;
      for (JsonNode each : template) {
        JsonNode name = each.get("name");
        if (name != null && name.isString() && name.stringValue().equals("default")) {
          chosen = each.get("template");
        }
      }
    }
    if (chosen == null || !chosen.isString()) {
      throw new MalformedFileException(
          file,
          "chat_template",
          StrictJson.kind(template) + (template.isContainer() ? " without a default" : ""),
          "a string, or several of which one is named default");
    }
    return chosen.stringValue();
  }

  private static Map<String, String> tokens(
      Path directory, Path settingsFile, @Nullable ObjectNode settings) throws IOException {
    Path mapFile = directory.resolve("special_tokens_map.json");
    ObjectNode map = object(mapFile);
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String name : TOKENS) {
      String token = token(settingsFile, settings, name);
      if (token == null) {
        token = token(mapFile, map, name);
      }
      if (token != null) {
        tokens.put(name, token);
      }
    }
    return tokens;
  }

  private static @Nullable String token(Path file, @Nullable ObjectNode object, String name)
      throws MalformedFileException {
    JsonNode value = object == null ? null : object.get(name);
    if (value == null || value.isNull()) {
      return null;
    }
    JsonNode text = value.isObject() ? value.get("content") : value;
    if (text == null || !text.isString()) {
      throw new MalformedFileException(
          file, name, StrictJson.kind(value), "a token, or an object with its content");
    }
    return text.stringValue();
  }
}
