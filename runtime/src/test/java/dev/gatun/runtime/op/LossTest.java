package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(LeakCheck.class)
class LossTest {
  private static final long[] LABELS = {4, 0, 2};

  private static Tensor normal(Scope scope, int seed, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return scope.of(new Random(seed).doubles(elements).map(u -> 3 * (u - 0.5)).toArray(), shape);
  }

  private static double[] gradient(Gradients gradients, Tensor leaf) {
    return Objects.requireNonNull(gradients.of(leaf)).toDoubles();
  }

  /// A vocabulary so large that 60 rows fill a chunk.
  private static final int LARGE = 100_000;

  @Test
  void severalChunksAreTheSumOfTheirRows() {
    int rows = 61;
    long[] labels = LongStream.range(0, rows).map(i -> i * 1_637 % LARGE).toArray();
    try (Scope scope = TestDevice.open()) {
      Tensor hidden = normal(scope, 1, rows, 1);
      Tensor second = normal(scope, 2, rows, 1);
      Tensor head = normal(scope, 3, LARGE, 1);
      List<Tensor> leaves = List.of(hidden, second, head);
      Gradients all =
          Tape.gradients(
              scope,
              leaves,
              s -> Loss.hiddenKey(s, hidden, second, head, labels, 0.1, 2, true).total());
      double total = 0;
      double[] toHead = new double[LARGE];
      double[] toHidden = gradient(all, hidden);
      double[] toSecond = gradient(all, second);
      int cut = 40;
      for (int part = 0; part < 2; part++) {
        int start = part * cut;
        int end = part == 0 ? cut : rows;
        try (Scope block = TestDevice.open()) {
          Tensor someHidden = Layout.narrow(block, hidden, 0, start, end - start);
          Tensor someSecond = Layout.narrow(block, second, 0, start, end - start);
          long[] someLabels = Arrays.copyOfRange(labels, start, end);
          Gradients some =
              Tape.gradients(
                  block,
                  List.of(someHidden, someSecond, head),
                  s ->
                      Loss.hiddenKey(s, someHidden, someSecond, head, someLabels, 0.1, 2, true)
                          .total());
          total += some.value().item();
          assertThat(gradient(some, someHidden))
              .containsExactly(Arrays.copyOfRange(toHidden, start, end), within(1e-12));
          assertThat(gradient(some, someSecond))
              .containsExactly(Arrays.copyOfRange(toSecond, start, end), within(1e-12));
          double[] headPart = gradient(some, head);
          for (int i = 0; i < LARGE; i++) {
            toHead[i] += headPart[i];
          }
        }
      }
      assertThat(all.value().item()).isCloseTo(total, within(1e-9));
      double[] found = gradient(all, head);
      for (int i = 0; i < LARGE; i++) {
        if (Math.abs(found[i] - toHead[i]) > 1e-12) {
          assertThat(found[i]).as("head[%d]", i).isEqualTo(toHead[i]);
        }
      }
      directionalDerivative(hidden, second, head, labels, all);
    }
  }

  /// Along one direction in all three inputs, against a central difference.
  private static void directionalDerivative(
      Tensor hidden, Tensor second, Tensor head, long[] labels, Gradients gradients) {
    double step = 1e-6;
    double expected = 0;
    double[][] directions = new double[3][];
    Tensor[] inputs = {hidden, second, head};
    for (int i = 0; i < 3; i++) {
      directions[i] = new Random(10 + i).doubles(inputs[i].elements()).map(u -> u - 0.5).toArray();
      double[] gradient = gradient(gradients, inputs[i]);
      for (int j = 0; j < gradient.length; j++) {
        expected += gradient[j] * directions[i][j];
      }
    }
    double[] values = new double[2];
    for (int side = 0; side < 2; side++) {
      try (Scope scope = TestDevice.open()) {
        Tensor[] moved = new Tensor[3];
        for (int i = 0; i < 3; i++) {
          Tensor direction = scope.of(directions[i], inputs[i].shape());
          moved[i] =
              Elementwise.add(
                  scope, inputs[i], Elementwise.scale(scope, direction, side == 0 ? step : -step));
        }
        values[side] =
            Loss.hiddenKey(scope, moved[0], moved[1], moved[2], labels, 0.1, 2, true)
                .total()
                .item();
      }
    }
    assertThat((values[0] - values[1]) / (2 * step))
        .isCloseTo(expected, within(1e-5 * Math.abs(expected)));
  }

  @Test
  void chunksKeepTheLogitsOfAllRowsFromExistingAtOnce() {
    assumeThat(TestDevice.DEVICE).as("a GPU's chunks are larger").isEqualTo(Device.CPU);
    int rows = 300;
    try (Scope scope = TestDevice.open()) {
      Tensor hidden = normal(scope, 1, rows, 1);
      Tensor head = normal(scope, 3, LARGE, 1);
      NativeMemory.resetPeak();
      long before = NativeMemory.liveBytes(TestDevice.DEVICE);
      Loss.Value value = Loss.crossEntropy(scope, hidden, head, new long[rows], 1);
      assertThat(value.task()).isPositive();
      long allLogits = 8L * rows * LARGE;
      assertThat(NativeMemory.peakBytes(TestDevice.DEVICE) - before)
          .isPositive()
          .isLessThan(allLogits);
    }
  }

  /// A frozen head is read a block of the vocabulary at a time, a trained one a block of rows: both
  /// ways give the same loss and the same gradient.
  @ParameterizedTest
  @CsvSource({"61, 100000, 1", "1100, 1500, 3", "5, 1, 4", "2, 3, 1000", "70, 40000, 300"})
  void aFrozenHeadGivesWhatATrainedOneGives(int rows, int vocabulary, double spread) {
    long[] labels = LongStream.range(0, rows).map(i -> i * 1_637 % vocabulary).toArray();
    try (Scope scope = TestDevice.open()) {
      Tensor hidden = Elementwise.scale(scope, normal(scope, 1, rows, 2), spread);
      Tensor head = normal(scope, 3, vocabulary, 2);
      Gradients frozen =
          Tape.gradients(
              scope, List.of(hidden), s -> Loss.crossEntropy(s, hidden, head, labels, 0.1).total());
      Gradients trained =
          Tape.gradients(
              scope,
              List.of(hidden, head),
              s -> Loss.crossEntropy(s, hidden, head, labels, 0.1).total());
      double total = trained.value().item();
      assertThat(frozen.value().item()).isCloseTo(total, within(1e-12 * Math.max(1, total)));
      assertThat(gradient(frozen, hidden))
          .containsExactly(gradient(trained, hidden), within(1e-12));
      assertThat(Loss.crossEntropy(scope, hidden, head, labels, 0.1).total().item())
          .isEqualTo(frozen.value().item());
    }
  }

  /// Logits far from 0 and a label that is all but certain: the loss is e^-gap for each other id.
  @Test
  void aCertainLabelKeepsItsTinyLossAndGradient() {
    assumeThat(TestDevice.DEVICE).as("streamed on the host alone").isEqualTo(Device.CPU);
    try (Scope scope = TestDevice.open()) {
      Tensor hidden = scope.of(new float[] {1}, 1, 1);
      Tensor head = scope.of(new float[] {-300, -320, -340}, 3, 1);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(hidden),
              s -> Loss.crossEntropy(s, hidden, head, new long[] {0}, 1).total());
      double other = Math.exp(-20);
      assertThat(found.value().item()).isCloseTo(other, within(1e-6 * other));
      assertThat(Objects.requireNonNull(found.of(hidden)).item())
          .isCloseTo(-20 * other, within(1e-5 * 20 * other));
    }
  }

  /// With one branch the second is a constant: the head and the first branch get the task's
  /// gradient plus that of the divergence for a fixed second distribution, the second branch gets
  /// none.
  @Test
  void oneBranchKeepsTheSecondConstant() {
    double scale = 0.3;
    double lambda = 1.7;
    try (Scope scope = TestDevice.open()) {
      Tensor first = normal(scope, 1, 3, 4);
      Tensor second = normal(scope, 2, 3, 4);
      Tensor head = normal(scope, 3, 5, 4);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(first, second, head),
              s -> Loss.hiddenKey(s, first, second, head, LABELS, scale, lambda, false).total());
      assertThat(found.of(second)).isNull();

      double[][] lp1 = LossCases.logProbabilities(first.toDoubles(), head.toDoubles(), 4);
      double[][] lp2 = LossCases.logProbabilities(second.toDoubles(), head.toDoubles(), 4);
      double[] toLogits = new double[15];
      for (int i = 0; i < 3; i++) {
        double mean = 0;
        for (int j = 0; j < 5; j++) {
          mean += Math.exp(lp1[i][j]) * (lp1[i][j] - lp2[i][j]);
        }
        for (int j = 0; j < 5; j++) {
          double p1 = Math.exp(lp1[i][j]);
          double p2 = Math.exp(lp2[i][j]);
          double kl = 0.5 * (p1 * (lp1[i][j] - lp2[i][j] - mean) + p1 - p2);
          toLogits[5 * i + j] = scale * (p1 - (j == LABELS[i] ? 1 : 0) + lambda * kl);
        }
      }
      assertThat(gradient(found, first))
          .containsExactly(
              MatmulCases.product(toLogits, head.toDoubles(), 1, 3, 5, 4), within(1e-12));
      assertThat(gradient(found, head))
          .containsExactly(
              MatmulCases.product(
                  MatmulCases.transposed(toLogits, 3, 5), first.toDoubles(), 1, 5, 3, 4),
              within(1e-12));
    }
  }

  @Test
  void theDivergenceIsSymmetricPositiveAndZeroForEqualBranches() {
    try (Scope scope = TestDevice.open()) {
      Tensor first = normal(scope, 1, 3, 4);
      Tensor second = normal(scope, 2, 3, 4);
      Tensor head = normal(scope, 3, 5, 4);
      Loss.Value there = Loss.hiddenKey(scope, first, second, head, LABELS, 1, 1, false);
      Loss.Value back = Loss.hiddenKey(scope, second, first, head, LABELS, 1, 1, false);
      Loss.Value same = Loss.hiddenKey(scope, first, first, head, LABELS, 1, 1, false);
      assertThat(there.divergence()).isPositive().isCloseTo(back.divergence(), within(1e-12));
      assertThat(there.total().item()).isCloseTo(there.task() + there.divergence(), within(1e-12));
      assertThat(same.divergence()).isZero();
      assertThat(same.total().item()).isEqualTo(same.task());
    }
  }

  @Test
  void lambdaZeroIsTheTaskAlone() {
    try (Scope scope = TestDevice.open()) {
      Tensor first = normal(scope, 1, 3, 4);
      Tensor second = normal(scope, 2, 3, 4);
      Tensor head = normal(scope, 3, 5, 4);
      List<Tensor> leaves = List.of(first, head);
      Gradients task =
          Tape.gradients(
              scope, leaves, s -> Loss.crossEntropy(s, first, head, LABELS, 0.5).total());
      Gradients both =
          Tape.gradients(
              scope,
              leaves,
              s -> Loss.hiddenKey(s, first, second, head, LABELS, 0.5, 0, false).total());
      assertThat(both.value().item()).isEqualTo(task.value().item());
      for (Tensor leaf : leaves) {
        assertThat(gradient(both, leaf)).containsExactly(gradient(task, leaf));
      }
    }
  }

  /// Where the loss is a part of a larger scalar, its gradients are scaled by what flows into it.
  @Test
  void whatFlowsIntoTheLossScalesItsGradients() {
    try (Scope scope = TestDevice.open()) {
      Tensor hidden = normal(scope, 1, 3, 4);
      Tensor head = normal(scope, 3, 5, 4);
      Gradients plain =
          Tape.gradients(
              scope, List.of(hidden), s -> Loss.crossEntropy(s, hidden, head, LABELS, 1).total());
      Gradients scaled =
          Tape.gradients(
              scope,
              List.of(hidden),
              s -> Elementwise.scale(s, Loss.crossEntropy(s, hidden, head, LABELS, 1).total(), 4));
      double[] expected = Arrays.stream(gradient(plain, hidden)).map(g -> 4 * g).toArray();
      assertThat(gradient(scaled, hidden)).containsExactly(expected);
    }
  }

  /// In bf16 the logits, the loss and their sums are f32; the gradients come back in bf16.
  @Test
  void bf16RowsGiveAnF32LossNearThatOfF64() {
    try (Scope scope = TestDevice.open()) {
      Tensor hidden = Layout.to(scope, normal(scope, 1, 3, 4), DType.BF16);
      Tensor head = Layout.to(scope, normal(scope, 3, 5, 4), DType.BF16);
      Tensor wideHidden = Layout.to(scope, hidden, DType.F64);
      Tensor wideHead = Layout.to(scope, head, DType.F64);
      Gradients narrow =
          Tape.gradients(
              scope,
              List.of(hidden, head),
              s -> Loss.crossEntropy(s, hidden, head, LABELS, 1).total());
      Gradients wide =
          Tape.gradients(
              scope,
              List.of(wideHidden, wideHead),
              s -> Loss.crossEntropy(s, wideHidden, wideHead, LABELS, 1).total());
      assertThat(narrow.value().dtype()).isEqualTo(DType.F32);
      assertThat(narrow.value().item()).isCloseTo(wide.value().item(), within(2e-2));
      Tensor toHidden = Objects.requireNonNull(narrow.of(hidden));
      assertThat(toHidden.dtype()).isEqualTo(DType.BF16);
      assertThat(Layout.to(scope, toHidden, DType.F64).toDoubles())
          .containsExactly(gradient(wide, wideHidden), within(2e-2));
    }
  }
}
