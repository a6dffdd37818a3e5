package dev.gatun.server;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// JSON from strangers, and to them.
final class Json {
  private static final int MAX_DEPTH = 64;
  private static final int MAX_DIGITS = 100;
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(MAX_DIGITS)
                          .build())
                  .build())
          .build();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static byte[] bytes(JsonNode node) {
    return MAPPER.writeValueAsBytes(node);
  }

  /// Reads an object.
  ///
  /// @param bytes UTF-8, up to 64 levels deep, each key once, numbers of up to 100 characters
  /// @throws ApiException if it is none
  static ObjectNode parse(byte[] bytes) {
    JsonNode node;
    try {
      // Jackson alone would take UTF-16 and half a surrogate pair, too
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      node = MAPPER.readTree(text);
    } catch (CharacterCodingException e) {
      throw ApiException.invalid(null, "body: found bytes that are no UTF-8, expected JSON");
    } catch (JacksonException e) {
      throw ApiException.invalid(null, "body: found no JSON: " + brief(e.getOriginalMessage()));
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw ApiException.invalid(null, "body: found " + describe(node) + ", expected a JSON object");
  }

  /// Returns a node for a message: a value as it is, as far as it is short.
  static String describe(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT -> "an object";
      case ARRAY -> "an array of " + node.size();
      case MISSING -> "nothing";
      default -> brief(node.toString());
    };
  }

  private static String brief(String text) {
    String line = text.lines().findFirst().orElse("");
    return line.length() <= 80 ? line : line.substring(0, 77) + "...";
  }
}
