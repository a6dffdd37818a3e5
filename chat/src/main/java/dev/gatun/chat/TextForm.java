package dev.gatun.chat;

import dev.gatun.models.constrain.Grammar;
import java.util.List;

/// The form that a text must have. A form is read once, and what was found out about it serves all
/// later texts: see [LocalModel#constraint].
public sealed interface TextForm {
  /// {@return its grammar}
  ///
  /// @throws IllegalArgumentException if the form is malformed; the message says where
  Grammar grammar();

  /// Any JSON object.
  record AnyJson() implements TextForm {
    @Override
    public Grammar grammar() {
      return Grammar.json();
    }
  }

  /// JSON that a schema describes.
  ///
  /// @param schema a JSON Schema; see [Grammar#jsonSchema]
  record Schema(String schema) implements TextForm {
    @Override
    public Grammar grammar() {
      return Grammar.jsonSchema(schema);
    }
  }

  /// What a regular expression matches.
  ///
  /// @param regex the expression; see [Grammar#regex]
  record Regex(String regex) implements TextForm {
    @Override
    public Grammar grammar() {
      return Grammar.regex(regex);
    }
  }

  /// One of some texts.
  ///
  /// @param texts at least one
  record Choice(List<String> texts) implements TextForm {
    @Override
    public Grammar grammar() {
      return Grammar.choice(texts);
    }
  }

  /// What a grammar in GBNF describes.
  ///
  /// @param rules the grammar; see [Grammar#parse]
  record Gbnf(String rules) implements TextForm {
    @Override
    public Grammar grammar() {
      return Grammar.parse(rules);
    }
  }
}
