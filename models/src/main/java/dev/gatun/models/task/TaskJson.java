package dev.gatun.models.task;

import dev.gatun.models.data.TextLines;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Reads JSON objects as rows: one per line, or a list of them.
final class TaskJson {
  private static final JsonMapper MAPPER = StrictJson.mapper();

  private TaskJson() {}

  /// Reads one object per line.
  static void readLines(Path file, TableRow.Sink sink) throws IOException {
    try (TextLines lines = new TextLines(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (!line.isBlank()) {
          sink.accept(row(file, lines.place(), parse(file, lines.place(), line)));
        }
      }
    }
  }

  /// Reads a list of objects, or one object per line where the file does not begin with `[`.
  static void readList(Path file, TableRow.Sink sink) throws IOException {
    if (!beginsWithBracket(file)) {
      readLines(file, sink);
      return;
    }
    String text;
    try {
      text = Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new MalformedFileException(file, "file", "bytes that are not UTF-8", "UTF-8 text");
    }
    try (JsonParser parser = MAPPER.createParser(text.substring(text.indexOf('[')))) {
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        String place = place(parser.currentTokenLocation());
        JsonNode value = parser.readValueAsTree();
        sink.accept(row(file, place, value));
      }
      if (parser.nextToken() != null) {
        throw new MalformedFileException(
            file, place(parser.currentTokenLocation()), "more behind the list", "its end");
      }
    } catch (JacksonException e) {
      throw malformed(file, place(e.getLocation()), e, "valid JSON");
    }
  }

  private static boolean beginsWithBracket(Path file) throws IOException {
    try (TextLines lines = new TextLines(file)) {
      String line = lines.next();
      while (line != null && line.isBlank()) {
        line = lines.next();
      }
      return line != null && line.stripLeading().startsWith("[");
    }
  }

  private static JsonNode parse(Path file, String place, String line)
      throws MalformedFileException {
    try {
      return MAPPER.readTree(line);
    } catch (JacksonException e) {
      throw malformed(file, place, e, "a JSON object");
    }
  }

  private static TableRow row(Path file, String place, JsonNode value)
      throws MalformedFileException {
    if (!(value instanceof ObjectNode object)) {
      throw new MalformedFileException(file, place, StrictJson.kind(value), "an object");
    }
    return new TableRow(file, place, place, object);
  }

  private static String place(@Nullable TokenStreamLocation location) {
    return location == null ? "file" : "line " + location.getLineNr();
  }

  private static MalformedFileException malformed(
      Path file, String place, JacksonException e, String expected) {
    MalformedFileException malformed =
        new MalformedFileException(file, place, e.getOriginalMessage(), expected);
    malformed.initCause(e);
    return malformed;
  }
}
