package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.constrain.Grammar;
import dev.gatun.models.constrain.GrammarConstraint;
import dev.gatun.models.constrain.TokenText;
import dev.gatun.models.generate.TokenConstraint;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes what holds a text to its form, and keeps the grammars of the latest forms: what was found
/// out about one serves the next request that asks for it. Thread-safe.
final class FormConstraints {
  private static final int KEPT = 16;

  private final LocalModel model;
  private final Map<TextForm, Grammar> grammars =
      new LinkedHashMap<>(KEPT, .75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<TextForm, Grammar> eldest) {
          return size() > KEPT;
        }
      };
  private @Nullable TokenText text; // once somebody asks

  FormConstraints(LocalModel model) {
    this.model = model;
  }

  /// Makes the constraint of a form.
  ///
  /// @return a constraint in front of a text
  /// @throws ApiException if the form is malformed
  TokenConstraint of(TextForm form) {
    Grammar grammar;
    synchronized (grammars) {
      grammar = grammars.get(form);
    }
    if (grammar == null) {
      grammar = read(form);
      synchronized (grammars) {
        grammars.put(form, grammar);
      }
    }
    return new GrammarConstraint(grammar, text(), model.stopIds());
  }

  private static Grammar read(TextForm form) {
    try {
      return switch (form) {
        case TextForm.AnyJson any -> Grammar.json();
        case TextForm.Schema schema -> Grammar.jsonSchema(schema.schema());
        case TextForm.Regex regex -> Grammar.regex(regex.regex());
        case TextForm.Choice choice -> Grammar.choice(choice.texts());
        case TextForm.Gbnf gbnf -> Grammar.parse(gbnf.rules());
      };
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid(form.param(), form.param() + ": " + e.getMessage());
    }
  }

  private synchronized TokenText text() {
    TokenText known = text;
    if (known == null) {
      known = TokenText.of(model.tokenizer());
      text = known;
    }
    return known;
  }
}
