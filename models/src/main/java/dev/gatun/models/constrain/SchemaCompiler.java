package dev.gatun.models.constrain;

import dev.gatun.models.constrain.DecimalRange.Bound;
import dev.gatun.runtime.StrictJson;
import java.math.BigDecimal;
import java.math.RoundingMode;
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
/// choice, it takes less than the schema would, never more.
final class SchemaCompiler {
  static final int MAX_SCHEMAS = 10_000;
  private static final int MAX_NAMES = 100_000;
  private static final long MOST = 999_999_999_999_999_999L; // 18 digits
  private static final long USUAL = 9_999_999_999_999_999L; // 16: as other numbers

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

  private static final String DATE =
      "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
          + "|02-(?:0[1-9]|1\\d|2[0-8]))|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])"
          + "|(?:[02468][048]|[13579][26])00)-02-29)";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-7]):[0-5]\\d)";
  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
          "email",
          "[A-Za-z0-9_%+-]{1,32}(?:\\.[A-Za-z0-9_%+-]{1,31}){0,1}"
              + "@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.){1,3}[A-Za-z]{2,24}");

  private final JsonRules rules;
  private final JsonNode root;
  private final Map<String, Expr> referred = new LinkedHashMap<>();
  private final Queue<Schema> todo = new ArrayDeque<>();
  private int namesLength;

  /// A schema and its place.
  private record Schema(String place, JsonNode node) {
    Schema in(String keyword) {
      return new Schema(place + "/" + escaped(keyword), node.get(keyword));
    }

    Schema at(int index) {
      return new Schema(place + "/" + index, node.get(index));
    }

    boolean has(String keyword) {
      return node.has(keyword);
    }

    private static String escaped(String key) {
      return key.replace("~", "~0").replace("/", "~1");
    }

    IllegalArgumentException wrong(String found, String expected) {
      return Refusal.of("schema: " + place, found, expected);
    }

    IllegalArgumentException wrong(String expected) {
      return wrong(StrictJson.kind(node), expected);
    }
  }

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
      return constants(schema, items(schema.in("enum")));
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
    if (!at.node().isString()) {
      throw at.wrong("a reference");
    }
    String pointer = at.node().stringValue();
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
    for (Schema choice : items(at)) {
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
    List<Schema> parts = items(at);
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
    List<Schema> named = type.node().isArray() ? items(type) : List.of(type);
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
      case "integer" -> integer(schema);
      case "number" -> number(schema);
      case "boolean" -> new Expr.Words(List.of("true", "false"));
      default -> Expr.text("null");
    };
  }

  private Expr object(Schema schema) {
    Set<String> required = new LinkedHashSet<>();
    if (schema.has("required")) {
      for (Schema name : items(schema.in("required"))) {
        if (!name.node().isString()) {
          throw name.wrong("a name");
        }
        required.add(name.node().stringValue());
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
      items(schema.in("prefixItems")).forEach(item -> first.add(inner(item)));
    }
    int min = schema.has("minItems") ? count(schema.in("minItems")) : 0;
    int max = schema.has("maxItems") ? count(schema.in("maxItems")) : Expr.Repeat.UNBOUNDED;
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
      String regex = text(pattern);
      return rules.encodedString(RegexParser.found("schema: " + pattern.place(), regex));
    }
    if (schema.has("format")) {
      Schema format = schema.in("format");
      String regex = FORMATS.get(text(format));
      if (regex == null) {
        throw format.wrong(
            text(format),
            "one of " + String.join(", ", FORMATS.keySet().stream().sorted().toList()));
      }
      return rules.encodedString(RegexParser.whole("format", regex));
    }
    if (!counted) {
      return rules.anyString();
    }
    int min = schema.has("minLength") ? count(schema.in("minLength")) : 0;
    int max = schema.has("maxLength") ? count(schema.in("maxLength")) : Expr.Repeat.UNBOUNDED;
    checkCounts(schema, min, max, "characters");
    return rules.string(min, max);
  }

  private Expr integer(Schema schema) {
    long low = -MOST - 1;
    long high = MOST + 1;
    if (schema.has("minimum")) {
      low = whole(schema.in("minimum"), RoundingMode.CEILING);
    }
    if (schema.has("exclusiveMinimum")) {
      low = Math.max(low, whole(schema.in("exclusiveMinimum"), RoundingMode.FLOOR) + 1);
    }
    if (schema.has("maximum")) {
      high = whole(schema.in("maximum"), RoundingMode.FLOOR);
    }
    if (schema.has("exclusiveMaximum")) {
      high = Math.min(high, whole(schema.in("exclusiveMaximum"), RoundingMode.CEILING) - 1);
    }
    // an open side ends where other numbers do, unless the other side is beyond
    long least = low >= -MOST ? low : high < -USUAL ? -MOST : -USUAL;
    long most = high <= MOST ? high : low > USUAL ? MOST : USUAL;
    if (least > most || least > MOST || most < -MOST) {
      throw schema.wrong("no whole number in its range", "one of at most 18 digits");
    }
    return IntegerRange.of(least, most);
  }

  /// Returns a bound as a whole number; one step beyond 18 digits stands for all that are larger.
  private static long whole(Schema bound, RoundingMode rounding) {
    if (!bound.node().isNumber()) {
      throw bound.wrong("a number");
    }
    double size = bound.node().doubleValue();
    if (Math.abs(size) > MOST) {
      return size < 0 ? -MOST - 1 : MOST + 1;
    }
    return bound.node().decimalValue().setScale(0, rounding).longValueExact();
  }

  private Expr number(Schema schema) {
    Bound low = narrower(bound(schema, "minimum"), bound(schema, "exclusiveMinimum"), 1);
    Bound high = narrower(bound(schema, "maximum"), bound(schema, "exclusiveMaximum"), -1);
    if (low == null && high == null) {
      return rules.number();
    }
    Expr range = DecimalRange.of(low, high);
    if (range == null) {
      throw schema.wrong("no number in its range", "one of at most 16 digits");
    }
    return range;
  }

  private static @Nullable Bound bound(Schema schema, String keyword) {
    if (!schema.has(keyword)) {
      return null;
    }
    Schema bound = schema.in(keyword);
    if (!bound.node().isNumber()) {
      throw bound.wrong("a number");
    }
    double size = Math.abs(bound.node().doubleValue());
    if (size > USUAL || (size != 0 && size < 1e-16)) {
      throw bound.wrong("a bound of at most 16 digits on each side of the point");
    }
    BigDecimal value = bound.node().decimalValue();
    if (value.stripTrailingZeros().scale() > JsonRules.MAX_DIGITS) {
      throw bound.wrong("a bound of at most 16 digits on each side of the point");
    }
    return new Bound(value, keyword.startsWith("exclusive"));
  }

  private static @Nullable Bound narrower(@Nullable Bound closed, @Nullable Bound open, int sign) {
    if (closed == null || open == null) {
      return closed == null ? open : closed;
    }
    return sign * closed.value().compareTo(open.value()) > 0 ? closed : open;
  }

  private static List<Schema> items(Schema list) {
    if (!list.node().isArray()) {
      throw list.wrong("an array");
    }
    List<Schema> items = new ArrayList<>();
    for (int i = 0; i < list.node().size(); i++) {
      items.add(list.at(i));
    }
    return items;
  }

  private static String text(Schema schema) {
    if (!schema.node().isString()) {
      throw schema.wrong("a string");
    }
    return schema.node().stringValue();
  }

  private static int count(Schema schema) {
    JsonNode node = schema.node();
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.intValue() < 0
        || node.intValue() > Scanner.MAX_COUNT) {
      throw schema.wrong("a whole number from 0 to " + Scanner.MAX_COUNT);
    }
    return node.intValue();
  }
}
