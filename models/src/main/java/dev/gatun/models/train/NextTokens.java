package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Agreement;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Param;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.op.Reduce;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Each token from those before it: the cross-entropy of the head over the vocabulary, and the
/// divergence of its probabilities.
///
/// @param model the model
record NextTokens(CausalLm model) implements Objective {
  @Override
  public boolean isOfHead(Param weight) {
    return !model.isTied() && weight.index() == model.head().index();
  }

  @Override
  public Loss.Value value(
      Scope scope,
      Reading first,
      @Nullable Reading second,
      Batch batch,
      double scale,
      LanguageModelLoss.Options options) {
    long[] labels = labels(batch, first.draws());
    Tensor rows = first.rows(scope, places(batch));
    Tensor head = first.value(model.head());
    Loss.Value value = value(scope, rows, second, batch, head, labels, scale, options.dropout());
    double share = options.labelSmoothing();
    if (share == 0) {
      return value;
    }
    Tensor smoothing = Elementwise.scale(scope, smoothing(scope, rows, head, labels), share);
    Tensor total =
        Elementwise.add(scope, value.total(), Elementwise.scale(scope, smoothing, scale));
    return new Loss.Value(total, value.task() + smoothing.item(), value.divergence());
  }

  /// Returns by how much the mean cross-entropy over all tokens exceeds that of the labels, summed
  /// over the rows: each label's logit less the mean logit, for which the head's mean row is
  /// enough.
  private static Tensor smoothing(Scope scope, Tensor rows, Tensor head, long... labels) {
    Tensor own = Layout.rows(scope, head, scope.of(labels, labels.length)); // (M, C)
    Tensor sum = Reduce.sum(scope, Layout.as(scope, head, DType.F32), true, 0); // (1, C)
    Tensor mean = Elementwise.scale(scope, sum, 1.0 / head.size(0));
    Tensor apart = Elementwise.sub(scope, Layout.as(scope, own, DType.F32), mean);
    return Reduce.sum(scope, Elementwise.mul(scope, Layout.as(scope, rows, DType.F32), apart));
  }

  private Loss.Value value(
      Scope scope,
      Tensor rows,
      @Nullable Reading second,
      Batch batch,
      Tensor head,
      long[] labels,
      double scale,
      Dropout dropout) {
    if (second == null) {
      return Loss.crossEntropy(scope, rows, head, labels, scale);
    }
    Tensor other = second.rows(scope, places(batch));
    double lambda = dropout.lambda();
    return dropout.agreement() == Agreement.KL
        ? Loss.hiddenKey(scope, rows, other, head, labels, scale, lambda, dropout.bothBranches())
        : Loss.towards(scope, rows, other, head, labels, scale, lambda);
  }

  @Override
  public Said say(Scope scope, Reading draws, Batch batch, Evaluation.Average average) {
    int count = draws.draws();
    long[] labels = labels(batch, 1);
    Tensor rows = draws.rows(scope, places(batch));
    Tensor head = draws.value(model.head());
    if (average == Evaluation.Average.LOGITS) {
      Tensor mean = count == 1 ? rows : mean(scope, rows, count);
      return new Said(Arrays.stream(Loss.ofRows(scope, mean, head, labels)).sum(), List.of());
    }
    double[] losses = Loss.ofRows(scope, rows, head, labels(batch, count));
    double[] probabilities = new double[labels.length];
    for (int i = 0; i < losses.length; i++) {
      probabilities[i % labels.length] += Math.exp(-losses[i]) / count;
    }
    return new Said(-Arrays.stream(probabilities).map(Math::log).sum(), List.of());
  }

  /// Returns the mean over draws of what the head reads: as the head is linear, it gives the mean
  /// of the logits.
  private static Tensor mean(Scope scope, Tensor rows, int draws) {
    long each = rows.size(0) / draws;
    Tensor sum = Layout.narrow(scope, rows, 0, 0, each);
    for (int i = 1; i < draws; i++) {
      sum = Elementwise.add(scope, sum, Layout.narrow(scope, rows, 0, i * each, each));
    }
    return Elementwise.scale(scope, sum, 1.0 / draws);
  }

  /// Returns the tokens of a batch that predict one.
  static long[] places(Batch batch) {
    int[] targets = batch.targets();
    return IntStream.range(0, targets.length)
        .filter(i -> targets[i] != Example.IGNORED)
        .asLongStream()
        .toArray();
  }

  /// Returns the ids that they are to predict, again for each draw.
  static long[] labels(Batch batch, int draws) {
    if (!batch.sequenceLabels().isEmpty()) {
      throw new IllegalArgumentException(
          "language model: found data with labels of whole rows, expected tokens to predict");
    }
    int[] targets = batch.targets();
    long[] once = Arrays.stream(places(batch)).map(row -> targets[(int) row]).toArray();
    long[] labels = new long[draws * once.length];
    for (int i = 0; i < draws; i++) {
      System.arraycopy(once, 0, labels, i * once.length, once.length);
    }
    return labels;
  }
}
