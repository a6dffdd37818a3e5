package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;

/// What a model says of data that it is not trained on.
///
/// @param loss mean cross-entropy over all predicted tokens, in nats
/// @param tokens number of predicted tokens
public record Evaluation(double loss, long tokens) {
  /// Tokens of one forward pass: enough to keep the cores busy, few enough for little memory.
  private static final int TOKENS_PER_PASS = 2048;

  /// {@return e to the loss}
  public double perplexity() {
    return Math.exp(loss);
  }

  /// Computes the loss over a data set, without dropout. Examples are grouped by length, which
  /// changes the result by rounding only.
  ///
  /// @param model the model
  /// @param addition the adapter to go with it
  /// @param data at least one predicted token
  /// @param progress is told how many examples are done
  /// @return the result
  public static Evaluation of(
      CausalLm model, PassAddition addition, Dataset data, IntConsumer progress) {
    LanguageModelLoss loss =
        new LanguageModelLoss(model, addition, LanguageModelLoss.Options.EVALUATION);
    double sum = 0;
    long tokens = 0;
    int done = 0;
    for (List<Example> group : groups(data.examples())) {
      Batch batch = Batch.of(group, 0);
      if (batch.targetCount() > 0) {
        try (Scope scope = Scope.open()) {
          sum += loss.of(scope, batch, 0, 1).task();
        }
        tokens += batch.targetCount();
      }
      done += group.size();
      progress.accept(done);
    }
    if (tokens == 0) {
      throw new IllegalArgumentException("evaluation: found no predicted token, expected some");
    }
    return new Evaluation(sum / tokens, tokens);
  }

  private static List<List<Example>> groups(List<Example> examples) {
    List<Example> sorted = new ArrayList<>(examples);
    sorted.sort(Comparator.comparingInt(Example::length));
    List<List<Example>> groups = new ArrayList<>();
    List<Example> group = new ArrayList<>();
    int tokens = 0;
    for (Example example : sorted) {
      if (!group.isEmpty() && tokens + example.length() > TOKENS_PER_PASS) {
        groups.add(group);
        group = new ArrayList<>();
        tokens = 0;
      }
      group.add(example);
      tokens += example.length();
    }
    if (!group.isEmpty()) {
      groups.add(group);
    }
    return groups;
  }
}
