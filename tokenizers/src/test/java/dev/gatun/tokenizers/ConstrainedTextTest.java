package dev.gatun.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.constrain.Grammar;
import dev.gatun.models.constrain.GrammarConstraint;
import dev.gatun.models.constrain.TokenText;
import dev.gatun.models.generate.TokenConstraint;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Grammars over real vocabularies.
class ConstrainedTextTest {
  private static final String SCHEMA =
      """
      {"type": "object",
       "properties": {
         "class": {"type": "string", "pattern": "^[A-Z][A-Za-z]{2,12}$"},
         "lines": {"type": "integer", "minimum": 1, "maximum": 5000},
         "methods": {"type": "array", "maxItems": 3, "items": {"type": "object",
           "properties": {"name": {"type": "string", "maxLength": 20}, "public": {"type": "boolean"}},
           "required": ["name", "public"]}}},
       "required": ["class", "lines", "methods"]}
      """;
  private static final List<String> VALUES =
      List.of(
          "{\"class\":\"Tensor\",\"lines\":1,\"methods\":[]}",
          "{\"class\": \"Scope\", \"lines\": 4999, \"methods\": [{\"name\": \"öffne 漢 🚀\", \"public\": true}]}",
          "{\n  \"class\": \"HfTokenizer\",\n  \"lines\": 12,\n  \"methods\": [\n    {\n      \"name\": \"\\\"\\n\","
              + "\n      \"public\": false\n    },\n    {\"name\": \"\", \"public\": true}\n  ]\n}");

  private static HfTokenizer open(String name) throws IOException {
    Path directory =
        name.equals("demo")
            ? Path.of("..", "demo", "model")
            : HfTokenizerTest.FIXTURES.resolve(name);
    return HfTokenizer.open(directory);
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "bpe", "unigram", "llama", "chat"})
  void takesTheTokensOfTextsThatFit(String name) throws IOException {
    try (HfTokenizer tokenizer = open(name)) {
      TokenText text = TokenText.of(tokenizer);
      for (Grammar grammar : List.of(Grammar.jsonSchema(SCHEMA), Grammar.json())) {
        for (String value : VALUES) {
          TokenConstraint constraint = new GrammarConstraint(grammar, text, Set.of());
          for (int id : tokenizer.encode(value)) {
            float[] logits = new float[tokenizer.vocabularySize()];
            constraint.restrict(logits);
            assertThat(logits[id]).as("%s: %s, id %d", name, value, id).isZero();
            constraint.accept(id);
          }
          assertThat(constraint.isComplete()).isTrue();
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "llama", "chat"})
  void whatIsWrittenDecodesToWhatFits(String name) throws IOException {
    try (HfTokenizer tokenizer = open(name)) {
      TokenText text = TokenText.of(tokenizer);
      Grammar grammar = Grammar.jsonSchema(SCHEMA);
      for (int seed = 0; seed < 100; seed++) {
        int[] ids = walk(new GrammarConstraint(grammar, text, Set.of()), tokenizer, seed);
        String written = tokenizer.decode(ids, false);
        assertThat(grammar.matches(written)).as(written).isTrue();
        JsonNode value = StrictJson.mapper().readTree(written);
        assertThat(value.get("class").stringValue()).matches("[A-Z][A-Za-z]{2,12}");
        assertThat(value.get("lines").intValue()).isBetween(1, 5000);
        assertThat(value.get("methods").size()).isLessThanOrEqualTo(3);
      }
    }
  }

  private static int[] walk(TokenConstraint constraint, HfTokenizer tokenizer, int seed) {
    Random random = new Random(seed);
    int[] ids = new int[2000];
    int size = 0;
    while (!constraint.isComplete()) {
      float[] logits = new float[tokenizer.vocabularySize()];
      for (int id = 0; id < logits.length; id++) {
        logits[id] = random.nextFloat();
      }
      constraint.restrict(logits);
      int best = 0;
      for (int id = 1; id < logits.length; id++) {
        best = logits[id] > logits[best] ? id : best;
      }
      constraint.accept(best);
      ids[size++] = best;
    }
    return Arrays.copyOf(ids, size);
  }
}
