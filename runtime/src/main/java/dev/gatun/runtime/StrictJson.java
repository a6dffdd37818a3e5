package dev.gatun.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Reads a JSON file that holds one object: strict UTF-8, no duplicate keys, nothing after the
/// object, no `NaN`. Thread-safe.
public final class StrictJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private StrictJson() {}

  /// {@return the reader of such JSON, for texts that are no files: no duplicate keys, nothing
  /// after the value, no `NaN`}
  public static JsonMapper mapper() {
    return MAPPER;
  }

  /// Reads the object of a file.
  ///
  /// @param file the JSON file
  /// @param maxBytes largest size to accept, in bytes
  /// @return the object
  /// @throws MalformedFileException if the file is too large or is not one JSON object
  /// @throws IOException if the file cannot be read
  public static ObjectNode read(Path file, int maxBytes) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(maxBytes + 1);
    }
    if (bytes.length > maxBytes) {
      throw new MalformedFileException(
          file, "file", "more than " + maxBytes + " bytes", "at most " + maxBytes + " bytes");
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    CharBuffer text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(buffer);
    } catch (CharacterCodingException e) {
      throw new MalformedFileException(
          file, "byte " + buffer.position(), "a byte that is not UTF-8", "UTF-8 text");
    }
    JsonNode node;
    try {
      node = MAPPER.readTree(text.toString());
    } catch (JacksonException e) {
      throw malformed(file, e);
    }
    if (!(node instanceof ObjectNode object)) {
      throw new MalformedFileException(file, "file", kind(node), "an object");
    }
    return object;
  }

  /// Says in one word what a JSON value is, for messages.
  ///
  /// @param node a value
  /// @return for example `a string`
  public static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT, POJO -> "an object";
      case ARRAY -> "an array";
      case STRING, BINARY -> "a string";
      case NUMBER -> "the number " + node.asString();
      case BOOLEAN -> node.asString();
      case NULL -> "null";
      case MISSING -> "nothing";
    };
  }

  private static MalformedFileException malformed(Path file, JacksonException e) {
    TokenStreamLocation location = e.getLocation();
    String place =
        location == null || location.getLineNr() < 1
            ? "file"
            : "line " + location.getLineNr() + ", column " + location.getColumnNr();
    MalformedFileException malformed =
        new MalformedFileException(file, place, e.getOriginalMessage(), "valid JSON");
    malformed.initCause(e);
    return malformed;
  }
}
