package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;

/// What a model says of data that it is not trained on.
///
/// @param loss mean over all predicted tokens of their cross-entropy in nats, or over all rows of
///   the task's loss
/// @param tokens number of predicted tokens, or of rows that have a label
/// @param outputs the outputs of a task's head for each row of the data: K numbers of a sequence,
///   or the start's and the end's score of each of its tokens; none where tokens are predicted
public record Evaluation(double loss, long tokens, List<float[]> outputs) {
  /// Tokens of one forward pass: enough to keep the cores busy, few enough for little memory.
  private static final int TOKENS_PER_PASS = 2048;

  /// Copies the list.
  public Evaluation {
    outputs = List.copyOf(outputs);
  }

  /// {@return e to the loss}
  public double perplexity() {
    return Math.exp(loss);
  }

  /// Evaluates a data set, without dropout. Examples are grouped by length, which changes the
  /// result by rounding only.
  ///
  /// @param model the model: a language model, or one with the head of a task
  /// @param addition the adapter to go with it
  /// @param data at least one label
  /// @param progress is told how many examples are done
  /// @return the result
  /// @throws IllegalArgumentException if the labels are not what the model's head is for
  public static Evaluation of(
      Transformer model, PassAddition addition, Dataset data, IntConsumer progress) {
    return over(
        model, addition, data, LanguageModelLoss.Options.EVALUATION, Average.LOGITS, progress);
  }

  /// What the members of an ensemble are averaged over.
  public enum Average {
    /// Logits, before the softmax.
    LOGITS,
    /// Probabilities, after it.
    PROBABILITIES
  }

  /// Evaluates an ensemble: the model under several draws of a method's masks, averaged.
  ///
  /// LoRA Dropout's test-time ensemble (arXiv:2404.09610, section 3.3), which does not say whether
  /// logits or probabilities are averaged; of a regression it is always its number.
  ///
  /// @param model the model: a language model, or one with the head of a task
  /// @param addition the adapter to go with it
  /// @param data at least one label
  /// @param dropout the method; its `instances` are the members
  /// @param seed seed of the masks
  /// @param average what is averaged
  /// @param progress is told how many examples are done
  /// @return the result
  /// @throws IllegalArgumentException if the labels are not what the model's head is for
  public static Evaluation ensemble(
      Transformer model,
      PassAddition addition,
      Dataset data,
      Dropout dropout,
      long seed,
      Average average,
      IntConsumer progress) {
    LanguageModelLoss.Options options = new LanguageModelLoss.Options(dropout, seed, false, false);
    return over(model, addition, data, options, average, progress);
  }

  private static Evaluation over(
      Transformer model,
      PassAddition addition,
      Dataset data,
      LanguageModelLoss.Options options,
      Average average,
      IntConsumer progress) {
    float[][] outputs = new float[data.size()][];
    double sum = 0;
    long tokens = 0;
    int done = 0;
    for (List<Example> group : groups(data.examples())) {
      Batch batch = Batch.of(group, 0);
      if (batch.targetCount() > 0) {
        try (Scope scope = Scope.open()) {
          JointLoss.Part part = new JointLoss.Part(batch, addition, options, 0, 1);
          Objective.Said said = new JointLoss(scope, model, List.of(part)).say(average);
          sum += said.loss();
          for (int i = 0; i < said.outputs().size(); i++) {
            outputs[group.get(i).row()] = said.outputs().get(i);
          }
        }
        tokens += batch.targetCount();
      }
      done += group.size();
      progress.accept(done);
    }
    if (tokens == 0) {
      throw new IllegalArgumentException("evaluation: found no predicted token, expected some");
    }
    List<float[]> all = model instanceof TaskModel ? Arrays.asList(outputs) : List.of();
    return new Evaluation(sum / tokens, tokens, all);
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
