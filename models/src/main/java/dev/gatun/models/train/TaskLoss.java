package dev.gatun.models.train;

import dev.gatun.models.data.Example;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.Reduce;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Losses of a [dev.gatun.models.nn.TaskModel]'s outputs, as transformers computes them. They are
/// f32 (f64 in an f64 model), sums times a scale: with the scale 1 / (rows that count in the
/// optimizer step), batches of a step add up to its mean.
public final class TaskLoss {
  private TaskLoss() {}

  /// {@return the cross-entropy of classes, summed over the rows that have a label and scaled}
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param outputs `(B, K)`
  /// @param labels a class for each row, or -100 for none
  /// @param scale factor of the sum
  /// @throws ShapeException if the sizes do not fit, or a label is no class
  public static Tensor classification(Scope scope, Tensor outputs, int[] labels, double scale) {
    int[] rows =
        IntStream.range(0, labels.length).filter(i -> labels[i] != Example.IGNORED).toArray();
    for (int row : rows) {
      if (labels[row] < 0 || labels[row] >= outputs.size(1)) {
        throw new ShapeException(
            "classification: found label %d, expected 0 to %d"
                .formatted(labels[row], outputs.size(1) - 1));
      }
    }
    checkRows("classification", outputs, labels.length);
    return crossEntropy(scope, wide(scope, outputs), rows, labels, scale);
  }

  /// {@return the squared error of numbers, summed over the rows and scaled}
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param outputs `(B, 1)`
  /// @param targets a number for each row
  /// @param scale factor of the sum
  /// @throws ShapeException if the sizes do not fit
  public static Tensor regression(Scope scope, Tensor outputs, double[] targets, double scale) {
    checkRows("regression", outputs, targets.length);
    if (outputs.size(1) != 1) {
      throw new ShapeException("regression: found outputs " + outputs + ", expected (B, 1)");
    }
    try (Scope block = scope.child()) {
      Tensor found = wide(block, outputs);
      Tensor wanted = Layout.as(block, block.of(targets, targets.length, 1), found.dtype());
      Tensor error = Elementwise.sub(block, found, wanted);
      Tensor sum = Reduce.sum(block, Elementwise.mul(block, error, error));
      return scope.keep(Elementwise.scale(block, sum, scale));
    }
  }

  /// {@return the loss of answers: half the mean cross-entropy of their starts and half that of
  /// their ends}
  ///
  /// A position past its sequence's end, as an answer that was cut off has, is left out of its
  /// mean. Each softmax is over the tokens of one sequence, where a padded batch of transformers
  /// counts the padding too.
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param outputs `(N, 2)`: of each token a score as start and one as end
  /// @param batch how the tokens divide
  /// @param starts first token of each sequence's answer, counted from the sequence's start
  /// @param ends last token of it
  /// @throws ShapeException if the sizes do not fit, or a position is negative
  public static Tensor answers(
      Scope scope, Tensor outputs, Ragged batch, int[] starts, int[] ends) {
    try (Scope block = scope.child()) {
      double startScale = 0.5 / Math.max(1, counted(batch, starts));
      double endScale = 0.5 / Math.max(1, counted(batch, ends));
      return scope.keep(
          Elementwise.add(
              block,
              positions(block, outputs, 0, batch, starts, startScale),
              positions(block, outputs, 1, batch, ends, endScale)));
    }
  }

  /// {@return how many positions lie in their sequence}
  ///
  /// @param batch how the tokens divide
  /// @param positions one for each sequence, counted from its start
  public static int counted(Ragged batch, int[] positions) {
    return inside(batch, positions).length;
  }

  private static int[] inside(Ragged batch, int[] positions) {
    return IntStream.range(0, positions.length)
        .filter(i -> positions[i] < batch.length(i))
        .toArray();
  }

  /// {@return the cross-entropy of positions in their sequences, summed over those that lie inside
  /// and scaled: one half of [#answers] where a step has several batches}
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param outputs `(N, K)`
  /// @param column which of the outputs
  /// @param batch how the tokens divide
  /// @param positions one for each sequence, counted from its start
  /// @param scale factor of the sum
  /// @throws ShapeException if the sizes do not fit, or a position is negative
  public static Tensor positions(
      Scope scope, Tensor outputs, int column, Ragged batch, int[] positions, double scale) {
    checkRows("question answering", outputs, batch.tokens());
    if (positions.length != batch.sequences() || Arrays.stream(positions).anyMatch(p -> p < 0)) {
      throw new ShapeException(
          "question answering: found positions %s, expected %d of 0 or more"
              .formatted(Arrays.toString(positions), batch.sequences()));
    }
    try (Scope block = scope.child()) {
      Tensor seen = seen(block, outputs, column, batch);
      return scope.keep(crossEntropy(block, seen, inside(batch, positions), positions, scale));
    }
  }

  /// Returns the scores of positions, `(B, T)`, minus infinity past the ends.
  private static Tensor seen(Scope scope, Tensor outputs, int column, Ragged batch) {
    Tensor scores = Layout.narrow(scope, wide(scope, outputs), 1, column, 1); // (N, 1)
    Tensor rows =
        Layout.reshape(scope, batch.padRows(scope, scores), batch.sequences(), batch.longest());
    return Elementwise.add(scope, rows, Layout.as(scope, batch.pastEnds(scope), rows.dtype()));
  }

  /// {@return the logarithms of the probabilities of positions in their sequences, `(N, 1)`}
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param outputs `(N, K)`
  /// @param column which of the outputs
  /// @param batch how the tokens divide
  public static Tensor logPositions(Scope scope, Tensor outputs, int column, Ragged batch) {
    checkRows("question answering", outputs, batch.tokens());
    Tensor logP = Norm.logSoftmax(scope, seen(scope, outputs, column, batch)); // (B, T)
    return batch.unpadRows(scope, Layout.reshape(scope, logP, logP.elements(), 1));
  }

  /// {@return the logarithms of the probabilities that a row's softmax gives}
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param rows `(M, K)`
  public static Tensor logProbabilities(Scope scope, Tensor rows) {
    return Norm.logSoftmax(scope, wide(scope, rows));
  }

  /// {@return the KL divergence of distributions, summed: one way KL(P || Q), else half the sum of
  /// both ways}
  ///
  /// Source: HiddenKey, arXiv:2403.00812, equations 11 and 12.
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param logP logarithms of the probabilities of P
  /// @param logQ those of Q, of one shape with them
  /// @param oneWay whether one way alone
  public static Tensor divergence(Scope scope, Tensor logP, Tensor logQ, boolean oneWay) {
    try (Scope block = scope.child()) {
      Tensor p = Elementwise.exp(block, logP);
      Tensor weight = oneWay ? p : Elementwise.sub(block, p, Elementwise.exp(block, logQ));
      Tensor terms = Elementwise.mul(block, weight, Elementwise.sub(block, logP, logQ));
      Tensor sum = Reduce.sum(block, terms);
      return scope.keep(oneWay ? sum : Elementwise.scale(block, sum, 0.5));
    }
  }

  /// Returns minus the sum of the labels' log-probabilities over some rows, scaled.
  private static Tensor crossEntropy(
      Scope scope, Tensor logits, int[] rows, int[] labels, double scale) {
    try (Scope block = scope.child()) {
      long[] places = Arrays.stream(rows).asLongStream().toArray();
      long[] wanted = Arrays.stream(rows).mapToLong(row -> labels[row]).toArray();
      Tensor logP =
          Norm.logSoftmax(
              block, Layout.rows(block, logits, block.of(places, places.length))); // (M, K)
      Tensor picked = Layout.gather(block, logP, block.of(wanted, wanted.length, 1));
      return scope.keep(Elementwise.scale(block, Reduce.sum(block, picked), -scale));
    }
  }

  private static void checkRows(String loss, Tensor outputs, int rows) {
    if (outputs.rank() != 2 || outputs.size(0) != rows) {
      throw new ShapeException(
          "%s: found outputs %s, expected %d rows".formatted(loss, outputs, rows));
    }
  }

  private static Tensor wide(Scope scope, Tensor outputs) {
    return Layout.as(scope, outputs, outputs.dtype() == DType.F64 ? DType.F64 : DType.F32);
  }
}
