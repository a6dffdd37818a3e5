package dev.gatun.cli;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.generate.Generator;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.train.Trained;
import dev.gatun.tokenizers.HfTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Completions of one held-out row before and after training.
final class Samples {
  private static final int PROMPT_TOKENS = 48;
  private static final int NEW_TOKENS = 48;

  /// One prompt and what the model made of it.
  record Pair(String prompt, String before, String after) {}

  private final CausalLm model;
  private final @Nullable HfTokenizer tokenizer;
  private final int[] prompt;
  private String before = "";
  private String after = "";

  /// Takes the start of a row, or its prompt where only a completion is trained.
  Samples(CausalLm model, @Nullable HfTokenizer tokenizer, Dataset data) {
    this.model = model;
    this.tokenizer = tokenizer;
    Example example = data.examples().getFirst();
    int masked = 1;
    while (masked < example.length() && !example.isTrained(masked)) {
      masked++;
    }
    int length = masked > 1 ? masked : PROMPT_TOKENS;
    int fits = Math.max(1, Math.min(example.length(), model.maxPositions() - NEW_TOKENS));
    this.prompt = Arrays.copyOf(example.ids(), Math.min(length, fits));
  }

  void before(Trained trained) {
    before = complete(trained);
  }

  void after(Trained trained) {
    after = complete(trained);
  }

  private String complete(Trained trained) {
    if (tokenizer == null) {
      return "";
    }
    Set<Integer> stops =
        tokenizer.eosId().isPresent() ? Set.of(tokenizer.eosId().getAsInt()) : Set.of();
    Generator generator = new Generator(model, trained, stops);
    return tokenizer.decodeWritten(
        generator.generate(prompt, Sampling.greedy(NEW_TOKENS), id -> true).ids(), true);
  }

  List<Pair> pairs() {
    List<Pair> pairs = new ArrayList<>();
    if (tokenizer != null) {
      pairs.add(new Pair(tokenizer.decode(prompt, false), before, after));
    }
    return pairs;
  }
}
