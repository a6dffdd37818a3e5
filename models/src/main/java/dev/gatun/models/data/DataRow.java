package dev.gatun.models.data;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// One row of a file, as written.
sealed interface DataRow {
  /// Token ids as given.
  record Ids(ExampleEncoder.Encoded encoded) implements DataRow {}

  /// A text.
  record Text(String text) implements DataRow {}

  /// A prompt and what is to be answered.
  record Completion(String prompt, String completion) implements DataRow {}

  /// A conversation.
  record Chat(List<ChatMessage> messages) implements DataRow {}

  /// Parses a line.
  static DataRow parse(Path file, String place, String line) throws MalformedFileException {
    return new Parser(file, place).parse(line);
  }

  /// Takes a row of a file of columns, whose cells of no value are null.
  static DataRow of(Path file, String place, ObjectNode row) throws MalformedFileException {
    return new Parser(file, place).of(row);
  }

  /// Knows where the row stands, for messages.
  record Parser(Path file, String place) {
    private static final JsonMapper MAPPER = StrictJson.mapper();

    private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

    private static final List<String> KINDS_OF_ROWS =
        List.of("input_ids", "text", "messages", "prompt");

    private static final String KINDS =
        "exactly one of input_ids, text, messages, or prompt with completion";

    DataRow parse(String line) throws MalformedFileException {
      JsonNode row;
      try {
        row = MAPPER.readTree(line);
      } catch (JacksonException e) {
        MalformedFileException malformed = wrong("", e.getOriginalMessage(), "a JSON object");
        malformed.initCause(e);
        throw malformed;
      }
      if (!(row instanceof ObjectNode object)) {
        throw wrong("", kind(row), "a JSON object");
      }
      return of(object);
    }

    DataRow of(ObjectNode row) throws MalformedFileException {
      List<String> kinds = KINDS_OF_ROWS.stream().filter(kind -> has(row, kind)).toList();
      if (kinds.size() != 1) {
        for (String kind : KINDS_OF_ROWS) {
          if (kinds.isEmpty() && row.has(kind)) {
            throw wrong(", " + kind, "null", KINDS);
          }
        }
        String found =
            kinds.isEmpty() ? "the keys " + row.propertyNames() : String.join(" and ", kinds);
        throw wrong("", found, KINDS);
      }
      return switch (kinds.getFirst()) {
        case "input_ids" -> ids(row);
        case "text" -> new Text(string(row, "text", ""));
        case "messages" -> new Chat(messages(row.get("messages")));
        default -> new Completion(string(row, "prompt", ""), string(row, "completion", ""));
      };
    }

    private DataRow ids(JsonNode row) throws MalformedFileException {
      int[] ids = ints(row, "input_ids");
      if (ids.length == 0) {
        throw wrong(", input_ids", "an empty array", "at least one id");
      }
      int @Nullable [] labels = has(row, "labels") ? ints(row, "labels") : null;
      if (labels != null && labels.length != ids.length) {
        throw wrong(", labels", labels.length + " labels", ids.length + ", one for each id");
      }
      if (has(row, "attention_mask")) {
        for (int m : ints(row, "attention_mask")) {
          if (m != 1) {
            throw wrong(", attention_mask", String.valueOf(m), "1: rows without padding");
          }
        }
      }
      return new Ids(new ExampleEncoder.Encoded(ids, labels));
    }

    private List<ChatMessage> messages(JsonNode array) throws MalformedFileException {
      if (!array.isArray() || array.isEmpty()) {
        throw wrong(", messages", array.isArray() ? "an empty array" : kind(array), "messages");
      }
      List<ChatMessage> messages = new ArrayList<>(array.size());
      for (JsonNode message : array) {
        String at = ", messages[" + messages.size() + "]";
        if (!message.isObject()) {
          throw wrong(at, kind(message), "an object with role and content");
        }
        String role = string(message, "role", at);
        if (!ROLES.contains(role)) {
          throw wrong(at + ", role", role, "system, user, assistant or tool");
        }
        messages.add(new ChatMessage(role, string(message, "content", at)));
      }
      return messages;
    }

    private int[] ints(JsonNode row, String key) throws MalformedFileException {
      JsonNode array = row.get(key);
      if (!array.isArray()) {
        throw wrong(", " + key, kind(array), "an array of whole numbers");
      }
      int[] values = new int[array.size()];
      for (int i = 0; i < values.length; i++) {
        JsonNode value = array.get(i);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
          throw wrong(", " + key + "[" + i + "]", kind(value), "a whole number of 32 bits");
        }
        values[i] = value.intValue();
      }
      return values;
    }

    private String string(JsonNode object, String key, String at) throws MalformedFileException {
      JsonNode value = object.get(key);
      if (value == null || !value.isString()) {
        throw wrong(at + ", " + key, value == null ? "nothing" : kind(value), "a string");
      }
      return value.stringValue();
    }

    private static boolean has(JsonNode row, String key) {
      return row.hasNonNull(key);
    }

    private static String kind(JsonNode node) {
      return switch (node.getNodeType()) {
        case OBJECT, POJO -> "an object";
        case ARRAY -> "an array";
        case STRING, BINARY -> "the string \"" + node.asString() + '"';
        case NUMBER, BOOLEAN -> node.asString();
        case NULL -> "null";
        case MISSING -> "nothing";
      };
    }

    private MalformedFileException wrong(String within, String found, String expected) {
      return new MalformedFileException(file, place + within, found, expected);
    }
  }
}
