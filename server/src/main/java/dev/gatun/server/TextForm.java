package dev.gatun.server;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The form that an answer must have, by OpenAI's `response_format` or vLLM's `guided_...` fields.
sealed interface TextForm {
  /// Most texts to choose from.
  int MOST_CHOICES = 4096;

  /// Returns the field that asked for it.
  String param();

  /// Any JSON object.
  record AnyJson(String param) implements TextForm {}

  /// JSON that a schema describes.
  record Schema(String param, String schema) implements TextForm {}

  /// What a regular expression matches.
  record Regex(String param, String regex) implements TextForm {}

  /// One of some texts.
  record Choice(String param, List<String> texts) implements TextForm {}

  /// What a grammar in GBNF describes.
  record Gbnf(String param, String rules) implements TextForm {}

  /// Reads it.
  ///
  /// @return the form, or null if there is none
  /// @throws ApiException if there are several
  static @Nullable TextForm read(JsonFields fields) {
    List<TextForm> forms = new ArrayList<>();
    JsonFields format = fields.object("response_format");
    if (format != null) {
      readFormat(format, forms);
    }
    readGuided(fields, "guided_", forms);
    JsonFields structured = fields.object("structured_outputs");
    if (structured != null) {
      readGuided(structured, "", forms);
    }
    if (forms.size() > 1) {
      throw ApiException.field(forms.get(1).param(), forms.get(0).param() + " too", "one form");
    }
    return forms.isEmpty() ? null : forms.getFirst();
  }

  private static void readFormat(JsonFields format, List<TextForm> forms) {
    String type = format.requiredText("type");
    switch (type) {
      case "text" -> {}
      case "json_object" -> forms.add(new AnyJson("response_format"));
      case "json_schema" -> {
        JsonFields outer = format.object("json_schema");
        JsonNode schema = outer == null ? null : outer.value("schema");
        if (schema == null) {
          throw format.refused("json_schema", "no schema", "an object with a schema");
        }
        forms.add(new Schema("response_format", schema.toString()));
      }
      default -> throw format.refused("type", type, "text, json_object or json_schema");
    }
  }

  private static void readGuided(JsonFields fields, String prefix, List<TextForm> forms) {
    String json = prefix + "json";
    JsonNode schema = fields.value(json);
    if (schema != null) {
      String text = schema.isString() ? fields.requiredText(json) : schema.toString();
      forms.add(new Schema(fields.path(json), text));
    }
    String regex = fields.text(prefix + "regex");
    if (regex != null) {
      forms.add(new Regex(fields.path(prefix + "regex"), regex));
    }
    List<String> choice = fields.texts(prefix + "choice", MOST_CHOICES);
    if (!choice.isEmpty()) {
      forms.add(new Choice(fields.path(prefix + "choice"), choice));
    }
    String grammar = fields.text(prefix + "grammar");
    if (grammar != null) {
      forms.add(new Gbnf(fields.path(prefix + "grammar"), grammar));
    }
  }
}
