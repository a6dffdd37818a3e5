package dev.gatun.server;

import dev.gatun.chat.TextForm;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The form that an answer must have, by OpenAI's `response_format` or vLLM's `guided_...` fields.
///
/// @param param the field that asked for it
/// @param form the form
record AskedForm(String param, TextForm form) {
  /// Most texts to choose from.
  private static final int MOST_CHOICES = 4096;

  /// Reads it.
  ///
  /// @return the form, or null if there is none
  /// @throws ApiException if there are several
  static @Nullable AskedForm read(JsonFields fields) {
    List<AskedForm> forms = new ArrayList<>();
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

  private static void readFormat(JsonFields format, List<AskedForm> forms) {
    String type = format.requiredText("type");
    switch (type) {
      case "text" -> {}
      case "json_object" -> forms.add(new AskedForm("response_format", new TextForm.AnyJson()));
      case "json_schema" -> {
        JsonFields outer = format.object("json_schema");
        JsonNode schema = outer == null ? null : outer.value("schema");
        if (schema == null) {
          throw format.refused("json_schema", "no schema", "an object with a schema");
        }
        forms.add(new AskedForm("response_format", new TextForm.Schema(schema.toString())));
      }
      default -> throw format.refused("type", type, "text, json_object or json_schema");
    }
  }

  private static void readGuided(JsonFields fields, String prefix, List<AskedForm> forms) {
    String json = prefix + "json";
    JsonNode schema = fields.value(json);
    if (schema != null) {
      String text = schema.isString() ? fields.requiredText(json) : schema.toString();
      forms.add(new AskedForm(fields.path(json), new TextForm.Schema(text)));
    }
    String regex = fields.text(prefix + "regex");
    if (regex != null) {
      forms.add(new AskedForm(fields.path(prefix + "regex"), new TextForm.Regex(regex)));
    }
    List<String> choice = fields.texts(prefix + "choice", MOST_CHOICES);
    if (!choice.isEmpty()) {
      forms.add(new AskedForm(fields.path(prefix + "choice"), new TextForm.Choice(choice)));
    }
    String grammar = fields.text(prefix + "grammar");
    if (grammar != null) {
      forms.add(new AskedForm(fields.path(prefix + "grammar"), new TextForm.Gbnf(grammar)));
    }
  }
}
