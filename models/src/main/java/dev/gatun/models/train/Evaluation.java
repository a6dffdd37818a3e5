package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.ToDoubleBiFunction;

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
    return over(
        model.device(), data, progress, (scope, batch) -> loss.of(scope, batch, 0, 1).task());
  }

  private static Evaluation over(
      Device device, Dataset data, IntConsumer progress, ToDoubleBiFunction<Scope, Batch> loss) {
    double sum = 0;
    long tokens = 0;
    int done = 0;
    for (List<Example> group : groups(data.examples())) {
      Batch batch = Batch.of(group, 0);
      if (batch.targetCount() > 0) {
        try (Scope scope = Scope.open(device)) {
          sum += loss.applyAsDouble(scope, batch);
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

  /// What the members of an ensemble are averaged over.
  public enum Average {
    /// Logits, before the softmax.
    LOGITS,
    /// Probabilities, after it.
    PROBABILITIES
  }

  /// Computes the loss of an ensemble: the model under several draws of a method's masks, averaged.
  ///
  /// LoRA Dropout's test-time ensemble (arXiv:2404.09610, section 3.3), which does not say whether
  /// logits or probabilities are averaged. As the head is linear, the mean of the logits is that of
  /// what the head reads.
  ///
  /// @param model the model
  /// @param addition the adapter to go with it
  /// @param data at least one predicted token
  /// @param dropout the method; its `instances` are the members
  /// @param seed seed of the masks
  /// @param average what is averaged
  /// @param progress is told how many examples are done
  /// @return the result
  public static Evaluation ensemble(
      CausalLm model,
      PassAddition addition,
      Dataset data,
      Dropout dropout,
      long seed,
      Average average,
      IntConsumer progress) {
    LanguageModelLoss.Options options = new LanguageModelLoss.Options(dropout, seed, false, false);
    return over(
        model.device(),
        data,
        progress,
        (scope, batch) -> {
          JointLoss.Part part = new JointLoss.Part(batch, addition, options, 0, 1);
          JointLoss loss = new JointLoss(scope, model, List.of(part));
          return ensemble(scope, loss, average);
        });
  }

  private static double ensemble(Scope scope, JointLoss loss, Average average) {
    List<Tensor> draws = loss.draws(scope);
    if (average == Average.LOGITS) {
      Tensor sum = draws.getFirst();
      for (Tensor draw : draws.subList(1, draws.size())) {
        sum = Elementwise.add(scope, sum, draw);
      }
      Tensor mean = Elementwise.scale(scope, sum, 1.0 / draws.size());
      return Arrays.stream(Loss.ofRows(scope, mean, loss.head(), loss.labels())).sum();
    }
    double[] probabilities = new double[loss.labels().length];
    for (Tensor draw : draws) {
      double[] losses = Loss.ofRows(scope, draw, loss.head(), loss.labels());
      for (int i = 0; i < losses.length; i++) {
        probabilities[i] += Math.exp(-losses[i]) / draws.size();
      }
    }
    return -Arrays.stream(probabilities).map(Math::log).sum();
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
