package dev.gatun.server;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The fields of a JSON object, each read as what it must be. A field that is null counts as
/// absent, one that nobody asks for is left alone, and any other mistake is an [ApiException] that
/// names it.
final class JsonFields {
  private final ObjectNode node;
  private final String path;

  /// @param path what stands in front of names in messages, such as `messages[2].`, or nothing
  JsonFields(ObjectNode node, String path) {
    this.node = node;
    this.path = path;
  }

  /// Reads a value that must be an object.
  ///
  /// @param name its own name, for messages
  static JsonFields of(JsonNode value, String name) {
    if (value instanceof ObjectNode object) {
      return new JsonFields(object, name + ".");
    }
    throw ApiException.field(name, Json.describe(value), "an object");
  }

  /// Returns the field's full name, for messages.
  String path(String name) {
    return path + name;
  }

  /// Returns a field as it is, or null if it is absent.
  @Nullable JsonNode value(String name) {
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  boolean has(String name) {
    return value(name) != null;
  }

  ApiException refused(String name, String found, String expected) {
    return ApiException.field(path(name), found, expected);
  }

  private ApiException refused(String name, String expected) {
    JsonNode value = node.get(name);
    return refused(name, value == null ? "nothing" : Json.describe(value), expected);
  }

  @Nullable String text(String name) {
    JsonNode value = value(name);
    return value == null ? null : text(value, path(name));
  }

  String requiredText(String name) {
    String text = text(name);
    if (text == null) {
      throw refused(name, "a string");
    }
    return text;
  }

  /// Reads a value that must be a string of whole characters.
  static String text(JsonNode value, String name) {
    if (!value.isString()) {
      throw ApiException.field(name, Json.describe(value), "a string");
    }
    String text = value.stringValue();
    // neither has a place in a text, and native tokenizers would stumble over them
    if (text.codePoints().anyMatch(c -> c == 0 || (c >= 0xD800 && c <= 0xDFFF))) {
      throw ApiException.field(name, "a NUL or half a surrogate pair", "whole characters");
    }
    return text;
  }

  boolean flag(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return false;
    }
    if (!value.isBoolean()) {
      throw refused(name, "true or false");
    }
    return value.booleanValue();
  }

  int integer(String name, int fallback, int least, int most) {
    JsonNode value = value(name);
    if (value == null) {
      return fallback;
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < least
        || value.intValue() > most) {
      throw refused(
          name,
          most == Integer.MAX_VALUE
              ? "an integer of at least " + least
              : "an integer from " + least + " to " + most);
    }
    return value.intValue();
  }

  @Nullable Long wide(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return null;
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw refused(name, "an integer of 64 bits");
    }
    return value.longValue();
  }

  double number(String name, double fallback) {
    JsonNode value = value(name);
    return value == null ? fallback : number(value, path(name));
  }

  static double number(JsonNode value, String name) {
    double number = value.isNumber() ? value.doubleValue() : Double.NaN;
    if (!Double.isFinite(number)) {
      throw ApiException.field(name, Json.describe(value), "a finite number");
    }
    return number;
  }

  @Nullable JsonFields object(String name) {
    JsonNode value = value(name);
    return value == null ? null : of(value, path(name));
  }

  /// Reads an array of at most some values; an absent one is empty.
  List<JsonNode> array(String name, int most) {
    JsonNode value = value(name);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray() || value.size() > most) {
      throw refused(name, "an array of at most " + most);
    }
    List<JsonNode> all = new ArrayList<>();
    value.forEach(all::add);
    return all;
  }

  /// Reads a string, or an array of at most some strings; an absent one is empty.
  List<String> texts(String name, int most) {
    JsonNode value = value(name);
    if (value != null && value.isString()) {
      return List.of(text(value, path(name)));
    }
    if (value != null && !value.isArray()) {
      throw refused(name, "a string or an array of strings");
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode each : array(name, most)) {
      texts.add(text(each, path(name) + "[" + texts.size() + "]"));
    }
    return texts;
  }

  /// Hands every field over, as it is.
  void forEach(BiConsumer<String, JsonNode> action) {
    node.forEachEntry(action);
  }
}
