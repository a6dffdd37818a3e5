package dev.gatun.models.constrain;

import dev.gatun.runtime.StrictJson;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/// Turns a JSON Schema (draft 2020-12, and `definitions` of older ones) into rules of JSON.
///
/// What it does not know it refuses, naming the place by a JSON pointer. Where a schema leaves a
/// choice, it takes less than the schema would, never more; but for `oneOf`.
final class SchemaCompiler {
  static final int MAX_SCHEMAS = 10_000;
  private static final int MAX_PLACE = 2_000;
  private static final int MAX_NAMES = 100_000;

  private static final List<String> TYPES =
      List.of("object", "array", "string", "number", "integer", "boolean", "null");
  private static final Set<String> SILENT =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly");

  /// The type that each keyword is about.
  private static final Map<String, String> TYPED =
      Map.ofEntries(
          Map.entry("properties", "object"),
          Map.entry("required", "object"),
          Map.entry("additionalProperties", "object"),
          Map.entry("items", "array"),
          Map.entry("prefixItems", "array"),
          Map.entry("minItems", "array"),
          Map.entry("maxItems", "array"),
          Map.entry("minLength", "string"),
          Map.entry("maxLength", "string"),
          Map.entry("pattern", "string"),
          Map.entry("format", "string"),
          Map.entry("minimum", "integer"),
          Map.entry("maximum", "integer"),
          Map.entry("exclusiveMinimum", "integer"),
          Map.entry("exclusiveMaximum", "integer"));

  private final JsonRules rules;
  private final JsonNode root;
  private final Map<String, Expr> referred = new LinkedHashMap<>();
  private final Queue<Schema> todo = new ArrayDeque<>();
  private int namesLength;

  SchemaCompiler(JsonRules rules, String schemaJson) {
    this.rules = rules;
    try {
      this.root = StrictJson.mapper().readTree(schemaJson);
    } catch (JacksonException e) {
      throw Refusal.of("schema", String.valueOf(e.getOriginalMessage()), "valid JSON");
    }
  }

  /// Returns what takes the values of the whole schema.
  Expr compile() {
    Expr whole = refer("#", root);
    for (Schema next = todo.poll(); next != null; next = todo.poll()) {
      rules.rule(next.place(), value(next));
    }
    return whole;
  }

  private Expr refer(String pointer, JsonNode node) {
    Expr known = referred.get(pointer);
    if (known == null) {
      if (referred.size() == MAX_SCHEMAS) {
        throw Refusal.of("schema: " + pointer, "more than " + MAX_SCHEMAS + " schemas", "fewer");
      }
      if (pointer.length() > MAX_PLACE) {
        throw Refusal.of("schema: " + pointer, "a longer place", "shorter names, less nested");
      }
      known = new Expr.Ref(pointer);
      referred.put(pointer, known);
      todo.add(new Schema(pointer, node));
    }
    return known;
  }

  /// Returns what a schema inside another takes: a rule of its own, made later.
  private Expr inner(Schema schema) {
    return refer(schema.place(), schema.node());
  }

  private Expr value(Schema schema) {
    JsonNode node = schema.node();
    if (node.isBoolean() && node.booleanValue()) {
      return rules.anyValue();
    }
    if (node.isBoolean()) {
      throw schema.wrong("false, which nothing fits", "a schema that something fits");
    }
    if (!node.isObject()) {
      throw schema.wrong("a schema");
    }
    for (String whole : List.of("$ref", "anyOf", "oneOf", "allOf")) {
      if (node.has(whole)) {
        only(schema, Set.of(whole));
        Schema at = schema.in(whole);
        return switch (whole) {
          case "$ref" -> reference(at);
          case "allOf" -> all(at);
          default -> any(at);
        };
      }
    }
    if (node.has("const")) {
      only(schema, Set.of("const", "type"));
      return constants(schema, List.of(schema.in("const")));
    }
    if (node.has("enum")) {
      only(schema, Set.of("enum", "type"));
      return constants(schema, schema.in("enum").items());
    }
    only(schema, known());
    Set<String> types = types(schema);
    return types.isEmpty()
        ? rules.anyValue()
        : Expr.alt(types.stream().map(type -> typed(type, schema)).toList());
  }

  private static Set<String> known() {
    Set<String> known = new HashSet<>(TYPED.keySet());
    known.add("type");
    return known;
  }

  private static void only(Schema schema, Set<String> keywords) {
    for (String keyword : schema.node().propertyNames()) {
      if (!keywords.contains(keyword) && !SILENT.contains(keyword)) {
        throw schema.wrong(
            "keyword " + keyword,
            keywords.size() > 2
                ? "keywords that are supported"
                : "no other keyword beside " + keywords.stream().sorted().toList().getFirst());
      }
    }
  }

  private Expr reference(Schema at) {
    String pointer = at.text();
    boolean local =
        pointer.equals("#")
            || pointer.startsWith("#/$defs/")
            || pointer.startsWith("#/definitions/");
    JsonNode target = local ? root : null;
    StringBuilder place = new StringBuilder("#");
    String[] keys = pointer.split("/", -1);
    for (int i = 1; i < keys.length && target != null; i++) {
      String key = keys[i].replace("~1", "/").replace("~0", "~");
      boolean index = target.isArray() && key.matches("\\d{1,6}");
      target = index ? target.get(Integer.parseInt(key)) : target.get(key);
      place.append('/').append(Schema.escaped(key));
    }
    if (target == null) {
      throw at.wrong(pointer, "#, or a schema that is there in #/$defs or #/definitions");
    }
    return refer(place.toString(), target);
  }

  private Expr any(Schema at) {
    List<Expr> choices = new ArrayList<>();
    for (Schema choice : at.items()) {
      if (!choice.node().isBoolean() || choice.node().booleanValue()) {
        choices.add(inner(choice));
      }
    }
    if (choices.isEmpty()) {
      throw at.wrong("a list that nothing fits", "a list of schemas");
    }
    return Expr.alt(choices);
  }

  private Expr all(Schema at) {
    List<Schema> parts = at.items();
    if (parts.size() != 1) {
      throw at.wrong(parts.size() + " schemas", "one: several at once are not supported");
    }
    return inner(parts.getFirst());
  }

  private Expr constants(Schema schema, List<Schema> values) {
    Set<String> types = types(schema);
    Set<String> texts = new HashSet<>();
    for (Schema value : values) {
      if (types.isEmpty() || types.stream().anyMatch(type -> isOf(type, value.node()))) {
        String text = value.node().toString();
        boolean infinite = value.node().isNumber() && Double.isInfinite(value.node().doubleValue());
        if (infinite || !StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
          throw value.wrong("a value that JSON can write in UTF-8");
        }
        texts.add(text);
      }
    }
    if (texts.isEmpty()) {
      throw schema.wrong("no value of its type", "at least one");
    }
    return new Expr.Words(texts.stream().sorted().toList());
  }

  private static boolean isOf(String type, JsonNode value) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "number" -> value.isNumber();
      case "integer" ->
          value.isIntegralNumber()
              || (value.isNumber() && Math.rint(value.doubleValue()) == value.doubleValue());
      case "boolean" -> value.isBoolean();
      default -> value.isNull();
    };
  }

  /// Returns the types that a schema names, else the one that its keywords are about; none for all.
  private static Set<String> types(Schema schema) {
    Set<String> types = new LinkedHashSet<>();
    if (!schema.has("type")) {
      for (String keyword : schema.node().propertyNames()) {
        if (TYPED.containsKey(keyword)) {
          types.add(TYPED.get(keyword));
        }
      }
      if (types.size() > 1) {
        throw schema.wrong("keywords of several types", "a type");
      }
      return types;
    }
    Schema type = schema.in("type");
    List<Schema> named = type.node().isArray() ? type.items() : List.of(type);
    for (Schema each : named) {
      if (!each.node().isString() || !TYPES.contains(each.node().stringValue())) {
        throw each.wrong(
            each.node().isString() ? each.node().stringValue() : StrictJson.kind(each.node()),
            "one of " + String.join(", ", TYPES));
      }
      types.add(each.node().stringValue());
    }
    if (types.isEmpty()) {
      throw type.wrong("no type", "at least one");
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return types;
  }

  private Expr typed(String type, Schema schema) {
    return switch (type) {
      case "object" -> object(schema);
      case "array" -> array(schema);
      case "string" -> string(schema);
      case "integer" -> NumberSchema.integer(schema);
      case "number" -> {
        Expr range = NumberSchema.number(schema);
        yield range == null ? rules.number() : range;
      }
      case "boolean" -> new Expr.Words(List.of("true", "false"));
      default -> Expr.text("null");
    };
  }

  private Expr object(Schema schema) {
    Set<String> required = new LinkedHashSet<>();
    if (schema.has("required")) {
      for (Schema name : schema.in("required").items()) {
        required.add(name.text());
      }
    }
    @Nullable Expr extra = extra(schema);
    List<Expr.Member> members = new ArrayList<>();
    Set<String> names = new LinkedHashSet<>();
    if (schema.has("properties")) {
      Schema properties = schema.in("properties");
      if (!properties.node().isObject()) {
        throw properties.wrong("an object");
      }
      for (String name : properties.node().propertyNames()) {
        names.add(name);
        Schema property = properties.in(name);
        boolean needed = required.contains(name);
        if (needed || !property.node().isBoolean() || property.node().booleanValue()) {
          members.add(member(property, name, inner(property), needed));
        }
      }
    }
    for (String name : required) {
      if (names.add(name)) {
        if (extra == null) {
          throw schema.wrong(
              "the required name " + name, "one of the properties, as others may not be there");
        }
        members.add(member(schema, name, extra, true));
      }
    }
    if (extra == null) {
      return rules.object(members);
    }
    Expr key = rules.anyString();
    if (!names.isEmpty()) {
      namesLength += names.stream().mapToInt(String::length).sum();
      boolean tooLong = names.stream().anyMatch(name -> name.length() > 500);
      if (namesLength > MAX_NAMES || tooLong) {
        throw schema.wrong("too long names", "shorter ones beside additional properties");
      }
      key = rules.otherKey(names);
    }
    return rules.object(members, rules.member(key, extra));
  }

  private Expr.Member member(Schema place, String name, Expr value, boolean required) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw place.wrong("half a surrogate pair", "a name of whole characters");
    }
    String key = StringNode.valueOf(name).toString();
    return new Expr.Member(rules.member(Expr.text(key), value), required);
  }

  /// Returns what the values of additional properties take, or null where none may be there.
  private @Nullable Expr extra(Schema schema) {
    if (!schema.has("additionalProperties")) {
      return schema.has("properties") ? null : rules.anyValue();
    }
    Schema additional = schema.in("additionalProperties");
    boolean none = additional.node().isBoolean() && !additional.node().booleanValue();
    return none ? null : inner(additional);
  }

  private Expr array(Schema schema) {
    List<Expr> first = new ArrayList<>();
    if (schema.has("prefixItems")) {
      schema.in("prefixItems").items().forEach(item -> first.add(inner(item)));
    }
    int min = schema.has("minItems") ? schema.in("minItems").count() : 0;
    int max = schema.has("maxItems") ? schema.in("maxItems").count() : Expr.Repeat.UNBOUNDED;
    Expr rest = rules.anyValue();
    if (schema.has("items")) {
      Schema items = schema.in("items");
      if (items.node().isBoolean() && !items.node().booleanValue()) {
        max = atMost(max, first.size());
      } else {
        rest = inner(items);
      }
    } else if (!first.isEmpty()) {
      max = atMost(max, Math.max(min, first.size()));
    }
    checkCounts(schema, min, max, "items");
    if (max != Expr.Repeat.UNBOUNDED && max < first.size()) {
      first.subList(max, first.size()).clear();
    }
    int behind = first.size();
    return rules.array(
        first,
        Math.min(min, behind),
        rest,
        Math.max(min - behind, 0),
        max == Expr.Repeat.UNBOUNDED ? max : max - behind);
  }

  private static int atMost(int max, int bound) {
    return max == Expr.Repeat.UNBOUNDED ? bound : Math.min(max, bound);
  }

  private static void checkCounts(Schema schema, int min, int max, String what) {
    if (max != Expr.Repeat.UNBOUNDED && min > max) {
      throw schema.wrong("at least " + min + " and at most " + max + " " + what, "a range");
    }
  }

  private Expr string(Schema schema) {
    boolean counted = schema.has("minLength") || schema.has("maxLength");
    long kinds =
        Stream.of(counted, schema.has("pattern"), schema.has("format")).filter(is -> is).count();
    if (kinds > 1) {
      throw schema.wrong(
          "several keywords on one string", "one of a length, a pattern and a format");
    }
    if (schema.has("pattern")) {
      Schema pattern = schema.in("pattern");
      String regex = pattern.text();
      return rules.encodedString(RegexParser.found("schema: " + pattern.place(), regex));
    }
    if (schema.has("format")) {
      Schema format = schema.in("format");
      String regex = StringFormats.regex(format.text());
      if (regex == null) {
        throw format.wrong(format.text(), "one of " + StringFormats.names());
      }
      return rules.encodedString(RegexParser.whole("format", regex));
    }
    if (!counted) {
      return rules.anyString();
    }
    int min = schema.has("minLength") ? schema.in("minLength").count() : 0;
    int max = schema.has("maxLength") ? schema.in("maxLength").count() : Expr.Repeat.UNBOUNDED;
    checkCounts(schema, min, max, "characters");
    return rules.string(min, max);
  }
}
