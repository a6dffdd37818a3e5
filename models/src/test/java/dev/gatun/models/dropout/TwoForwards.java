package dev.gatun.models.dropout;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.runtime.Scope;
import java.util.Arrays;

/// The HiddenKey loss from two complete forward passes, its softmax and sums in plain Java.
record TwoForwards(AdaptedModel adapted, Dropout dropout, long seed, int step) {
  /// Returns the log-probabilities of each token, `(N, V)`.
  double[][] branch(Batch batch, int number) {
    try (Scope scope = TestDevice.open()) {
      ForwardPass pass =
          adapted
              .adapter()
              .join(
                  ForwardPass.of(scope, adapted.model(), batch.ids(), batch.offsets()),
                  batch.tokens())
              .masks(
                  new DropoutMasks(
                      Arrays.stream(batch.rows())
                          .mapToObj(
                              row -> new DropoutMasks.Source(dropout, seed, step, number, row))
                          .toList(),
                      adapted.model().layers()))
              .build();
      double[] logits =
          Parity.doubles(
              adapted.model().logits(scope, adapted.model().hidden(scope, pass, false), pass));
      int width = adapted.model().vocabulary();
      double[][] rows = new double[batch.tokens()][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = logSoftmax(Arrays.copyOfRange(logits, i * width, (i + 1) * width));
      }
      return rows;
    }
  }

  private static double[] logSoftmax(double[] logits) {
    double largest = Arrays.stream(logits).max().orElseThrow();
    double sum = Arrays.stream(logits).map(z -> Math.exp(z - largest)).sum();
    return Arrays.stream(logits).map(z -> z - largest - Math.log(sum)).toArray();
  }

  /// Returns the sum of cross-entropies over the predicted tokens.
  static double task(Batch batch, double[][] logProbabilities) {
    int[] targets = batch.targets();
    double sum = 0;
    for (int i = 0; i < targets.length; i++) {
      if (targets[i] != Example.IGNORED) {
        sum -= logProbabilities[i][targets[i]];
      }
    }
    return sum;
  }

  /// Returns the sum over the predicted tokens of KL(one || other).
  static double divergence(Batch batch, double[][] one, double[][] other) {
    int[] targets = batch.targets();
    double sum = 0;
    for (int i = 0; i < targets.length; i++) {
      for (int v = 0; targets[i] != Example.IGNORED && v < one[i].length; v++) {
        sum += Math.exp(one[i][v]) * (one[i][v] - other[i][v]);
      }
    }
    return sum;
  }

  /// Returns task loss and half of both divergences, of two branches.
  double total(Batch batch, double[][] first, double[][] second) {
    return task(batch, first)
        + dropout.lambda()
            * 0.5
            * (divergence(batch, first, second) + divergence(batch, second, first));
  }
}
