package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Judges values by a JSON Schema, apart from the code under test.
final class SchemaCheck {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final JsonNode root;

  SchemaCheck(String schema) {
    this.root = read(schema);
  }

  void check(String text) {
    assertThat(fits(read(text), root)).as("%s fits %s", text, root).isTrue();
  }

  /// Reads exactly one value; of two members of one name, which no grammar can forbid, the last.
  static JsonNode read(String text) {
    return MAPPER.readTree(text);
  }

  private boolean fits(JsonNode value, JsonNode schema) {
    if (schema.isBoolean()) {
      return schema.booleanValue();
    }
    for (String keyword : schema.propertyNames()) {
      if (!fits(value, schema, keyword, schema.get(keyword))) {
        return false;
      }
    }
    return true;
  }

  private boolean fits(JsonNode value, JsonNode schema, String keyword, JsonNode rule) {
    return switch (keyword) {
      case "$ref" -> fits(value, target(rule.stringValue()));
      case "anyOf", "oneOf" -> rule.valueStream().anyMatch(each -> fits(value, each));
      case "allOf" -> rule.valueStream().allMatch(each -> fits(value, each));
      case "const" -> value.equals(rule);
      case "enum" -> rule.valueStream().anyMatch(value::equals);
      case "type" ->
          rule.isArray()
              ? rule.valueStream().anyMatch(each -> isOf(value, each.stringValue()))
              : isOf(value, rule.stringValue());
      case "required" ->
          !value.isObject() || rule.valueStream().allMatch(each -> value.has(each.stringValue()));
      case "properties" ->
          rule.propertyStream()
              .allMatch(each ->
                  !value.has(each.getKey()) || fits(value.get(each.getKey()), each.getValue()));
      case "additionalProperties" -> {
        Set<String> others = new HashSet<>(value.propertyNames());
        if (schema.has("properties")) {
          others.removeAll(schema.get("properties").propertyNames());
        }
        yield others.stream().allMatch(name -> fits(value.get(name), rule));
      }
      case "prefixItems" -> {
        boolean all = true;
        for (int i = 0; value.isArray() && i < Math.min(rule.size(), value.size()); i++) {
          all &= fits(value.get(i), rule.get(i));
        }
        yield all;
      }
      case "items" -> {
        int first = schema.has("prefixItems") ? schema.get("prefixItems").size() : 0;
        boolean all = true;
        for (int i = first; value.isArray() && i < value.size(); i++) {
          all &= fits(value.get(i), rule);
        }
        yield all;
      }
      case "minItems" -> !value.isArray() || value.size() >= rule.intValue();
      case "maxItems" -> !value.isArray() || value.size() <= rule.intValue();
      case "minLength" -> !value.isString() || length(value) >= rule.intValue();
      case "maxLength" -> !value.isString() || length(value) <= rule.intValue();
      case "pattern" ->
          !value.isString()
              || Pattern.compile(rule.stringValue().replace("$", "\\z"))
                  .matcher(value.stringValue())
                  .find();
      case "format" -> !value.isString() || hasFormat(value.stringValue(), rule.stringValue());
      case "minimum" -> !value.isNumber() || compare(value, rule) >= 0;
      case "maximum" -> !value.isNumber() || compare(value, rule) <= 0;
      case "exclusiveMinimum" -> !value.isNumber() || compare(value, rule) > 0;
      case "exclusiveMaximum" -> !value.isNumber() || compare(value, rule) < 0;
      case "title", "description", "default", "examples", "$schema", "$defs", "definitions" -> true;
      default -> throw new AssertionError(keyword);
    };
  }

  private JsonNode target(String pointer) {
    return pointer.equals("#") ? root : root.at(pointer.substring(1));
  }

  private static int length(JsonNode value) {
    return value.stringValue().codePointCount(0, value.stringValue().length());
  }

  private static int compare(JsonNode value, JsonNode bound) {
    return new BigDecimal(value.asString()).compareTo(new BigDecimal(bound.asString()));
  }

  private static boolean isOf(JsonNode value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "number" -> value.isNumber();
      case "integer" -> value.isIntegralNumber();
      case "boolean" -> value.isBoolean();
      case "null" -> value.isNull();
      default -> throw new AssertionError(type);
    };
  }

  private static boolean hasFormat(String text, String format) {
    Object parsed =
        switch (format) {
          case "date" -> LocalDate.parse(text);
          case "time" -> OffsetTime.parse(text);
          case "date-time" -> OffsetDateTime.parse(text);
          case "uuid" -> UUID.fromString(text);
          case "email" -> text.matches("[^@ ]+@[^@. ]+(\\.[^@. ]+)+") ? text : null;
          default -> throw new AssertionError(format);
        };
    return parsed != null && !text.isEmpty();
  }
}
