package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Rows of [Loss].
final class LossCases {
  /// Rows of the fixture whose label is not -100.
  private static final long[] KEPT = {0, 2, 3, 5};

  private static final long[] LABELS = {3, 0, 10, 7};

  private LossCases() {}

  static Stream<OpCase> rows() {
    return Stream.of(fixtures(), heads()).flatMap(List::stream);
  }

  private static List<OpCase> fixtures() {
    return List.of(
        crossEntropy("cross_entropy_sum", 1),
        crossEntropy("cross_entropy_mean", 0.25),
        divergence("kl_both_branches", true),
        divergence("kl_one_branch", false));
  }

  /// With the unit matrix for a head, hidden rows are logits.
  private static Tensor unit(Scope s, DType dtype) {
    double[] values = new double[11 * 11];
    for (int i = 0; i < 11; i++) {
      values[12 * i] = 1;
    }
    return Layout.as(s, s.of(values, 11, 11), dtype);
  }

  private static Tensor kept(Scope s, Tensor logits) {
    return Layout.rows(s, logits, s.of(KEPT, 4));
  }

  private static OpCase crossEntropy(String fixture, double scale) {
    return OpCase.of(
            "Loss.crossEntropy",
            fixture,
            (s, in) ->
                Loss.crossEntropy(s, kept(s, in[0]), unit(s, in[0].dtype()), LABELS, scale).total())
        .fixture(fixture, "logits");
  }

  /// HiddenKey's loss less its task part is the divergence.
  private static OpCase divergence(String fixture, boolean both) {
    return OpCase.of(
            "Loss.hiddenKey",
            fixture,
            (s, in) -> {
              Tensor first = kept(s, in[0]);
              Tensor second = kept(s, in[1]);
              Tensor head = unit(s, in[0].dtype());
              Tensor total = Loss.hiddenKey(s, first, second, head, LABELS, 0.25, 1, both).total();
              return Elementwise.sub(
                  s, total, Loss.crossEntropy(s, first, head, LABELS, 0.25).total());
            })
        .fixture(fixture, "logits1", "logits2");
  }

  private static List<OpCase> heads() {
    long[] labels = {4, 0, 2};
    return List.of(
        OpCase.of(
                "Loss.crossEntropy",
                "head",
                (s, in) -> Loss.crossEntropy(s, in[0], in[1], labels, 0.3).total())
            .input("hidden", 3, 4)
            .input("head", 5, 4)
            .plain(in -> new double[] {0.3 * task(in[0], in[1], labels, 4)}),
        OpCase.of(
                "Loss.hiddenKey",
                "both branches, head",
                (s, in) -> Loss.hiddenKey(s, in[0], in[1], in[2], labels, 0.3, 1.7, true).total())
            .input("first", 3, 4)
            .input("second", 3, 4)
            .input("head", 5, 4)
            .plain(in ->
                new double[] {
                  0.3 * (task(in[0], in[2], labels, 4) + 1.7 * kl(in[0], in[1], in[2], 4))
                }),
        OpCase.of(
                "Loss.hiddenKey",
                "one branch",
                (s, in) -> Loss.hiddenKey(s, in[0], in[1], in[2], labels, 0.3, 1.7, false).total())
            .input("first", 3, 4)
            .constant("second", 3, 4)
            .constant("head", 5, 4)
            .plain(in ->
                new double[] {
                  0.3 * (task(in[0], in[2], labels, 4) + 1.7 * kl(in[0], in[1], in[2], 4))
                }),
        OpCase.of("Loss.ofRows", "", (s, in) -> s.of(Loss.ofRows(s, in[0], in[1], labels), 3))
            .input("hidden", 3, 4)
            .input("head", 5, 4)
            .plain(in -> {
              double[][] lp = logProbabilities(in[0], in[1], 4);
              return IntStream.range(0, 3).mapToDouble(i -> -lp[i][(int) labels[i]]).toArray();
            })
            .withoutGradient(),
        OpCase.of(
                "Loss.towards",
                "one way",
                (s, in) -> Loss.towards(s, in[0], in[1], in[2], labels, 0.3, 1.7).total())
            .input("first", 3, 4)
            .constant("second", 3, 4)
            .constant("head", 5, 4)
            .plain(in ->
                new double[] {
                  0.3 * (task(in[0], in[2], labels, 4) + 1.7 * oneWay(in[0], in[1], in[2], 4))
                }));
  }

  /// Returns log-probabilities `(M, V)` of hidden `(M, C)` under a head `(V, C)`.
  static double[][] logProbabilities(double[] hidden, double[] head, int width) {
    int vocabulary = head.length / width;
    double[] logits =
        MatmulCases.product(
            hidden,
            MatmulCases.transposed(head, vocabulary, width),
            1,
            hidden.length / width,
            width,
            vocabulary);
    double[][] rows = new double[hidden.length / width][];
    for (int i = 0; i < rows.length; i++) {
      double[] row = Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary);
      double total = Math.log(Arrays.stream(row).map(Math::exp).sum());
      rows[i] = Arrays.stream(row).map(z -> z - total).toArray();
    }
    return rows;
  }

  private static double task(double[] hidden, double[] head, long[] labels, int width) {
    double[][] lp = logProbabilities(hidden, head, width);
    return -IntStream.range(0, labels.length).mapToDouble(i -> lp[i][(int) labels[i]]).sum();
  }

  private static double kl(double[] first, double[] second, double[] head, int width) {
    double[][] lp1 = logProbabilities(first, head, width);
    double[][] lp2 = logProbabilities(second, head, width);
    double sum = 0;
    for (int i = 0; i < lp1.length; i++) {
      for (int j = 0; j < lp1[i].length; j++) {
        double ratio = lp1[i][j] - lp2[i][j];
        sum += 0.5 * (Math.exp(lp1[i][j]) * ratio - Math.exp(lp2[i][j]) * ratio);
      }
    }
    return sum;
  }

  private static double oneWay(double[] first, double[] second, double[] head, int width) {
    double[][] lp1 = logProbabilities(first, head, width);
    double[][] lp2 = logProbabilities(second, head, width);
    double sum = 0;
    for (int i = 0; i < lp1.length; i++) {
      for (int j = 0; j < lp1[i].length; j++) {
        sum += Math.exp(lp1[i][j]) * (lp1[i][j] - lp2[i][j]);
      }
    }
    return sum;
  }
}
