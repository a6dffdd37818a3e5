package dev.gatun.chat;

import dev.gatun.models.constrain.Grammar;
import dev.gatun.models.constrain.GrammarConstraint;
import dev.gatun.models.constrain.TokenText;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.generate.TokenConstraint;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The grammars of the forms that were asked for last, and what the model's tokens write.
/// Thread-safe.
final class Forms {
  private static final int KEPT = 16;

  private final Tokenizer tokenizer;
  private final Set<Integer> stopIds;
  private final Map<TextForm, Grammar> grammars =
      new LinkedHashMap<>(KEPT, .75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<TextForm, Grammar> eldest) {
          return size() > KEPT;
        }
      };
  private @Nullable TokenText text; // once somebody asks

  Forms(Tokenizer tokenizer, Set<Integer> stopIds) {
    this.tokenizer = tokenizer;
    this.stopIds = Set.copyOf(stopIds);
  }

  TokenConstraint constraint(TextForm form) {
    Grammar grammar;
    synchronized (grammars) {
      grammar = grammars.get(form);
    }
    if (grammar == null) {
      grammar = form.grammar();
      synchronized (grammars) {
        grammars.put(form, grammar);
      }
    }
    return new GrammarConstraint(grammar, text(), stopIds);
  }

  private synchronized TokenText text() {
    TokenText known = text;
    if (known == null) {
      known = TokenText.of(tokenizer);
      text = known;
    }
    return known;
  }
}
