package dev.gatun.server;

import dev.gatun.models.data.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// A text that a request gives as one, or as the ids of its tokens.
sealed interface TextInput {
  /// Returns its ids; those of a text with what begins a document.
  int[] ids(Tokenizer tokenizer);

  /// Returns its text.
  String text(Tokenizer tokenizer);

  /// Given as a text.
  record Written(String value) implements TextInput {
    @Override
    public int[] ids(Tokenizer tokenizer) {
      return tokenizer.encodeDocument(value);
    }

    @Override
    public String text(Tokenizer tokenizer) {
      return value;
    }
  }

  /// Given as ids, which are taken as they are.
  record Encoded(int[] value) implements TextInput {
    @Override
    public int[] ids(Tokenizer tokenizer) {
      return value;
    }

    @Override
    public String text(Tokenizer tokenizer) {
      return tokenizer.decodeWritten(value, false);
    }
  }

  /// Reads a string, an array of strings, an array of ids, or an array of such arrays.
  ///
  /// @param name the field, which must be there
  /// @param most texts at most
  /// @param vocabulary ids of the model
  static List<TextInput> read(JsonFields fields, String name, int most, int vocabulary) {
    JsonNode value = fields.value(name);
    boolean given = value != null && (value.isString() || (value.isArray() && !value.isEmpty()));
    if (value == null || !given) {
      throw fields.refused(
          name,
          value == null ? "nothing" : Json.describe(value),
          "a string, ids, or an array of them");
    }
    if (value.isArray() && value.get(0).isNumber()) {
      return List.of(encoded(value, name, vocabulary));
    }
    if (value.isString() || value.get(0).isString()) {
      return fields.texts(name, most).stream().<TextInput>map(Written::new).toList();
    }
    List<TextInput> all = new ArrayList<>();
    for (JsonNode each : fields.array(name, most)) {
      all.add(encoded(each, name + "[" + all.size() + "]", vocabulary));
    }
    return all;
  }

  private static Encoded encoded(JsonNode value, String name, int vocabulary) {
    if (!value.isArray() || value.isEmpty()) {
      throw ApiException.field(name, Json.describe(value), "ids");
    }
    int[] ids = new int[value.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = value.get(i);
      if (!id.isIntegralNumber()
          || !id.canConvertToInt()
          || id.intValue() < 0
          || id.intValue() >= vocabulary) {
        throw ApiException.field(name, Json.describe(id), "ids from 0 to " + (vocabulary - 1));
      }
      ids[i] = id.intValue();
    }
    return new Encoded(ids);
  }
}
