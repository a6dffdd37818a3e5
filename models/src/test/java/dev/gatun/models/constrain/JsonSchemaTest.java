package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class JsonSchemaTest {
  private static final String PERSON =
      """
      {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Person", "type": "object",
       "properties": {
         "name": {"type": "string", "minLength": 1, "maxLength": 8, "description": "of a person"},
         "age": {"type": "integer", "minimum": 0, "maximum": 130},
         "tags": {"type": "array", "items": {"enum": ["a", "b\\"", "é", 1, null, {"x": [1]}]}, "maxItems": 3},
         "nick": {"type": ["string", "null"], "default": null},
         "ok": {"type": "boolean"}},
       "required": ["name", "age"], "additionalProperties": false}
      """;

  static List<String> schemas() {
    return List.of(
        PERSON,
        "{}",
        "true",
        "{\"type\": [\"integer\", \"boolean\", \"null\"]}",
        "{\"type\": \"number\"}",
        "{\"type\": \"string\"}",
        "{\"minLength\": 2, \"maxLength\": 3}",
        "{\"type\": \"string\", \"pattern\": \"^[a-c]{2,3}-\\\\d+$\"}",
        "{\"type\": \"string\", \"pattern\": \"^a[\\\\n\\\"\\\\\\\\]b|^x\"}",
        "{\"type\": \"string\", \"pattern\": \"^[^a-z]{2}$\"}",
        "{\"type\": \"string\", \"format\": \"date\"}",
        "{\"type\": \"string\", \"format\": \"time\"}",
        "{\"type\": \"string\", \"format\": \"date-time\"}",
        "{\"type\": \"string\", \"format\": \"uuid\"}",
        "{\"type\": \"string\", \"format\": \"email\"}",
        "{\"type\": \"integer\", \"minimum\": -13, \"maximum\": 257}",
        "{\"type\": \"integer\", \"exclusiveMinimum\": 99.5, \"exclusiveMaximum\": 2000}",
        "{\"type\": \"integer\", \"minimum\": 20000000000000000}",
        "{\"type\": \"integer\", \"maximum\": -5}",
        "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}",
        "{\"type\": \"number\", \"exclusiveMinimum\": -0.5, \"exclusiveMaximum\": 12.25}",
        "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}, \"minItems\": 2, \"maxItems\": 4}",
        "{\"prefixItems\": [{\"type\": \"integer\"}, {\"const\": \"x\"}], \"items\": {\"type\": \"null\"},"
            + " \"minItems\": 3}",
        "{\"prefixItems\": [{\"type\": \"integer\"}, {\"const\": \"x\"}], \"items\": false, \"minItems\": 1}",
        "{\"prefixItems\": [{\"type\": \"integer\"}, {\"const\": \"x\"}, true], \"maxItems\": 1}",
        "{\"type\": \"array\", \"maxItems\": 0}",
        "{\"properties\": {\"a\": {\"type\": \"null\"}, \"ab\": {\"type\": \"integer\"}},"
            + " \"additionalProperties\": {\"type\": \"boolean\"}}",
        "{\"properties\": {\"a\": true, \"x\": false}, \"required\": [\"b\", \"a\"],"
            + " \"additionalProperties\": {\"type\": \"boolean\"}}",
        "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"integer\"}}",
        "{\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}",
        "{\"anyOf\": [{\"type\": \"null\"}, {\"$ref\": \"#/$defs/node\"}, false], \"$defs\": {\"node\":"
            + " {\"type\": \"object\", \"properties\": {\"v\": {\"type\": \"integer\"}, \"next\":"
            + " {\"$ref\": \"#\"}}, \"required\": [\"v\", \"next\"]}}}",
        "{\"definitions\": {\"a/b~c\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/definitions/a~1b~0c\"}}},"
            + " \"allOf\": [{\"$ref\": \"#/definitions/a~1b~0c\"}]}",
        "{\"oneOf\": [{\"const\": {\"k\": [1.5, \"é\"]}}, {\"type\": \"string\", \"enum\": [\"u\", 3]}]}");
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void whatIsWrittenFits(String schema) {
    new Walks(Vocabulary.JSON).all(Grammar.jsonSchema(schema), 100, new SchemaCheck(schema)::check);
  }

  @Test
  void anyObjectIsWritten() {
    new Walks(Vocabulary.JSON)
        .all(Grammar.json(), 300, text -> assertThat(SchemaCheck.read(text).isObject()).isTrue());
  }

  @Test
  void takesEachWayToWriteAnObject() {
    Grammar person = Grammar.jsonSchema(PERSON);
    assertThat(
            List.of(
                "{\"name\":\"x\",\"age\":0}",
                "{\"name\": \"x\", \"age\": 130, \"nick\": null}",
                "\n{\n  \"name\": \"\\u00e9\\ud83d\\ude80🚀\",\n  \"age\": 7,\n  \"tags\": [\n    \"a\",\n"
                    + "    {\"x\":[1]}\n  ],\n\t\"ok\": true\n}",
                "{\"name\": \"12345678\", \"age\": 99, \"tags\": []}"))
        .allMatch(person::matches);
    assertThat(
            List.of(
                "{}",
                "{\"name\":\"\",\"age\":0}",
                "{\"name\":\"123456789\",\"age\":0}",
                "{\"age\":0,\"name\":\"x\"}",
                "{\"name\":\"x\",\"age\":131}",
                "{\"name\":\"x\",\"age\":01}",
                "{\"name\":\"x\",\"age\":-0}",
                "{\"name\":\"x\",\"age\":1,}",
                "{\"name\":\"x\",\"age\":1,\"z\":1}",
                "{\"name\":\"x\",\"age\":1,\"tags\":[\"a\",\"a\",\"a\",\"a\"]}",
                "{\"name\":\"\\ud83d\",\"age\":1}",
                "{\"name\":\"a\nb\",\"age\":1}",
                "{  \"name\":\"x\",\"age\":1}",
                "{\n\n\"name\":\"x\",\"age\":1}",
                "{\n" + " ".repeat(21) + "\"name\":\"x\",\"age\":1}",
                "{\"name\":\"x\",\"age\":1} "))
        .noneMatch(person::matches);
  }

  @Test
  void wholeNumbersOfARangeAreExact() {
    Random random = new Random(5);
    for (int round = 0; round < 300; round++) {
      long size = (long) Math.pow(10, 1 + random.nextInt(3));
      long a = random.nextLong(-size, size);
      long b = random.nextLong(-size, size);
      long min = Math.min(a, b);
      long max = Math.max(a, b);
      Grammar grammar =
          Grammar.jsonSchema(
              "{\"type\": \"integer\", \"minimum\": %d, \"maximum\": %d}".formatted(min, max));
      for (long n = min - 12; n <= max + 12; n += 1 + random.nextLong(size)) {
        assertThat(grammar.matches(Long.toString(n))).isEqualTo(n >= min && n <= max);
      }
      for (long n : new long[] {min - 1, min, min + 1, max - 1, max, max + 1, 10 * max, 10 * min}) {
        assertThat(grammar.matches(Long.toString(n))).isEqualTo(n >= min && n <= max);
      }
    }
  }

  @Test
  void numbersOfARangeAreExact() {
    Random random = new Random(6);
    String[] bounds = {
      "-2.5", "-1", "-0.05", "0", "0.000", "0.1", "0.125", "1", "1.05", "3", "3.14", "120"
    };
    for (int round = 0; round < 600; round++) {
      BigDecimal low = new BigDecimal(bounds[random.nextInt(bounds.length)]);
      BigDecimal high = low.max(new BigDecimal(bounds[random.nextInt(bounds.length)]));
      boolean lowOpen = random.nextBoolean();
      boolean highOpen = random.nextBoolean();
      boolean any = low.compareTo(high) < 0 || !(lowOpen || highOpen);
      String schema =
          "{\"type\": \"number\", \"%s\": %s, \"%s\": %s}"
              .formatted(
                  lowOpen ? "exclusiveMinimum" : "minimum", low,
                  highOpen ? "exclusiveMaximum" : "maximum", high);
      if (!any) {
        assertThatThrownBy(() -> Grammar.jsonSchema(schema)).hasMessageContaining("no number");
        continue;
      }
      Grammar grammar = Grammar.jsonSchema(schema);
      for (int i = 0; i < 60; i++) {
        BigDecimal base =
            random.nextBoolean() ? low : random.nextBoolean() ? high : BigDecimal.ZERO;
        BigDecimal number =
            base.add(BigDecimal.valueOf(random.nextInt(-12, 13), random.nextInt(5)));
        boolean in =
            number.compareTo(low) >= (lowOpen ? 1 : 0)
                && number.compareTo(high) <= (highOpen ? -1 : 0);
        assertThat(grammar.matches(number.toPlainString()))
            .as("%s in %s", number, schema)
            .isEqualTo(in);
      }
    }
    Grammar positive = Grammar.jsonSchema("{\"type\": \"number\", \"minimum\": 0}");
    assertThat(List.of("0", "0.0", "9999999999999999.9999999999999999", "12.5"))
        .allMatch(positive::matches);
    assertThat(List.of("-0", "-1", "01", "1.", ".5", "1e3", "")).noneMatch(positive::matches);
  }

  @Test
  void additionalNamesAreNoneOfTheProperties() {
    Grammar grammar =
        Grammar.jsonSchema(
            "{\"properties\": {\"a\": {\"type\": \"null\"}, \"ab\": {\"type\": \"null\"}, \"é\\\"\": true},"
                + " \"additionalProperties\": {\"type\": \"integer\"}}");
    assertThat(
            List.of(
                "{\"a\":null,\"b\":1}",
                "{\"\":1}",
                "{\"abc\":1}",
                "{\"ac\":1,\"ac\":2}",
                "{\"é\":1}",
                "{\"ab\":null,\"aa\":2}"))
        .allMatch(grammar::matches);
    assertThat(
            List.of(
                "{\"a\":1}",
                "{\"ab\":1}",
                "{\"b\":1,\"a\":null}",
                "{\"\\u0061\":1}",
                "{\"é\\\"\":1,\"a\":null}"))
        .noneMatch(grammar::matches);
  }

  @Test
  void datesAreThoseOfTheCalendar() {
    Grammar date = Grammar.jsonSchema("{\"format\": \"date\"}");
    for (int year : new int[] {0, 4, 1900, 1999, 2000, 2023, 2024, 2100}) {
      for (int month = 0; month < 14; month++) {
        for (int day = 0; day < 33; day++) {
          String text = "%04d-%02d-%02d".formatted(year, month, day);
          assertThat(date.matches("\"" + text + "\"")).as(text).isEqualTo(isDate(text));
        }
      }
    }
  }

  private static boolean isDate(String text) {
    try {
      return java.time.LocalDate.parse(text).toString().equals(text);
    } catch (java.time.format.DateTimeParseException e) {
      return false;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          {                                                   ~ schema: found Unexpected end-of-input
          [1]                                                 ~ schema: #: found an array, expected a schema
          {"type": "text"}                                    ~ schema: #/type: found text, expected one of object, array, string, number, integer, boolean, null
          {"type": []}                                        ~ schema: #/type: found no type, expected at least one
          {"type": 1}                                         ~ schema: #/type: found the number 1, expected one of object
          {"properties": {"a": {"multipleOf": 2}}}            ~ schema: #/properties/a: found keyword multipleOf, expected keywords that are supported
          {"properties": {"a/b": {"not": {}}}}                ~ schema: #/properties/a~1b: found keyword not, expected
          {"patternProperties": {}}                           ~ schema: #: found keyword patternProperties, expected
          {"uniqueItems": true}                               ~ schema: #: found keyword uniqueItems, expected
          {"anyOf": [{"type": "null"}], "type": "null"}       ~ schema: #: found keyword type, expected no other keyword beside anyOf
          {"$ref": "#/$defs/a", "minLength": 1}               ~ schema: #: found keyword minLength, expected no other keyword beside $ref
          {"$ref": "#/$defs/a"}                               ~ schema: #/$ref: found #/$defs/a, expected #, or a schema that is there
          {"$ref": "http://x/y"}                              ~ schema: #/$ref: found http://x/y, expected #, or a schema that is there
          {"$ref": "#/properties/a", "properties": 1}         ~ schema: #: found keyword properties, expected
          {"$ref": "#"}                                       ~ schema: #: found a rule that no finite text follows, expected
          {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}} ~ schema: #/$defs/b: found a rule that no finite text follows
          {"properties": {"a": {"$ref": "#"}}, "required": ["a"]} ~ schema: #: found a rule that no finite text follows
          {"anyOf": [{"$ref": "#"}, {"type": "null"}]}        ~ schema: #: found left recursion, expected
          {"allOf": [{}, {}]}                                 ~ schema: #/allOf: found 2 schemas, expected one
          {"anyOf": []}                                       ~ schema: #/anyOf: found a list that nothing fits
          {"anyOf": [false]}                                  ~ schema: #/anyOf: found a list that nothing fits
          false                                               ~ schema: #: found false, which nothing fits
          {"enum": [1, 2], "type": "string"}                  ~ schema: #: found no value of its type, expected at least one
          {"enum": []}                                        ~ schema: #: found no value of its type, expected at least one
          {"const": 1e999}                                    ~ schema: #/const: found the number
          {"const": "\\ud83d"}                                ~ schema: #/const: found a string, expected a value that JSON can write in UTF-8
          {"required": ["a"], "additionalProperties": false}  ~ schema: #: found the required name a, expected one of the properties
          {"properties": {"a": false}, "required": ["a"]}     ~ schema: #/properties/a: found false, which nothing fits
          {"minItems": 3, "maxItems": 2}                      ~ schema: #: found at least 3 and at most 2 items, expected a range
          {"prefixItems": [true], "items": false, "minItems": 2} ~ schema: #: found at least 2 and at most 1 items
          {"minLength": -1}                                   ~ schema: #/minLength: found the number -1, expected a whole number from 0 to 100000
          {"minLength": 1, "pattern": "a"}                    ~ schema: #: found several keywords on one string, expected
          {"pattern": "a(?!b)"}                               ~ schema: #/pattern: character 4: found "!", expected ":"
          {"format": "ipv4"}                                  ~ schema: #/format: found ipv4, expected one of date, date-time, email, time, uuid
          {"type": "integer", "minimum": 3.2, "maximum": 3.8} ~ schema: #: found no whole number in its range
          {"type": "integer", "minimum": 1e30}                ~ schema: #: found no whole number in its range
          {"type": "integer", "minimum": "1"}                 ~ schema: #/minimum: found a string, expected a number
          {"type": "number", "minimum": 1e20}                 ~ schema: #/minimum: found the number 1.0E20, expected a bound of at most 16 digits
          {"type": "number", "minimum": 1e-17}                ~ schema: #/minimum: found the number 1.0E-17, expected a bound of at most 16 digits
          {"type": "number", "minimum": 2, "maximum": 1}      ~ schema: #: found no number in its range
          {"minLength": 1, "minItems": 1}                     ~ schema: #: found keywords of several types, expected a type
          {"items": [{}]}                                     ~ schema: #/items: found an array, expected a schema
          {"type": "null", "type": "null"}                    ~ schema: found Duplicate
          """)
  void whatIsNotSupportedIsRefusedByItsPlace(String schema, String message) {
    assertThatThrownBy(() -> Grammar.jsonSchema(schema))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message)
        .hasMessageMatching("[^\\n]+");
  }
}
