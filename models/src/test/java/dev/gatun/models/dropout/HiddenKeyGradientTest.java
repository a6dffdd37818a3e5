package dev.gatun.models.dropout;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Loss;
import java.io.IOException;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The HiddenKey loss of whole models in float64 against two complete forward passes, and its
/// gradient against central differences.
class HiddenKeyGradientTest {
  private static final double STEP = 1e-5;
  private static final long SEED = 7;
  private static final int OPTIMIZER_STEP = 3;

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  private static double total(LanguageModelLoss loss, Batch batch) {
    try (Scope scope = TestDevice.open()) {
      return loss.of(scope, batch, OPTIMIZER_STEP, 1).total().item();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "mistral"})
  void valueEqualsTwoCompleteForwardPasses(String name) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    Dropout dropout = Dropout.hiddenKey(0.2, 0.1, 1.5);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F64);
        Scope scope = TestDevice.open()) {
      TwoForwards reference = new TwoForwards(adapted, dropout, SEED, OPTIMIZER_STEP);
      double[][] first = reference.branch(batch, 0);
      double[][] second = reference.branch(batch, 1);
      double forth = TwoForwards.divergence(batch, first, second);
      double back = TwoForwards.divergence(batch, second, first);
      Loss.Value value = adapted.loss(dropout, SEED, false).of(scope, batch, OPTIMIZER_STEP, 1);
      assertThat(value.task()).isCloseTo(TwoForwards.task(batch, first), within(1e-9));
      assertThat(value.divergence()).isCloseTo((forth + back) / 2, within(1e-9)).isPositive();
      assertThat(value.total().item())
          .isCloseTo(reference.total(batch, first, second), within(1e-9));
      assertThat(Math.abs(forth - back)).isGreaterThan(1e-6);
      assertThat(Math.min(forth, back)).isPositive();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void divergenceIsSymmetricAndZeroForEqualBranches(String name) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    Dropout dropout = Dropout.hiddenKey(0.2, 0.1, 1);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F64);
        Scope scope = TestDevice.open()) {
      TwoForwards reference = new TwoForwards(adapted, dropout, SEED, OPTIMIZER_STEP);
      long width = adapted.model().vocabulary();
      Tensor first = logits(scope, reference.branch(batch, 0), width);
      Tensor second = logits(scope, reference.branch(batch, 1), width);
      long[] labels = new long[batch.tokens()];
      double[] unit = new double[(int) (width * width)];
      for (int i = 0; i < width; i++) {
        unit[i * (int) width + i] = 1;
      }
      Tensor head = scope.of(unit, width, width);
      double forth = Loss.hiddenKey(scope, first, second, head, labels, 1, 1, false).divergence();
      double back = Loss.hiddenKey(scope, second, first, head, labels, 1, 1, false).divergence();
      assertThat(forth).isPositive().isCloseTo(back, within(1e-12 * forth));
      assertThat(Loss.hiddenKey(scope, first, first, head, labels, 1, 1, false).divergence())
          .isZero();
    }
  }

  private static Tensor logits(Scope scope, double[][] rows, long width) {
    double[] flat = new double[(int) (rows.length * width)];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * (int) width, (int) width);
    }
    return scope.of(flat, rows.length, width);
  }

  /// The second branch is held where it was before the perturbation: a constant.
  @ParameterizedTest
  @CsvSource({"gpt2,false", "gpt2,true", "llama,false", "llama,true"})
  void gradientFlowsThroughTheFirstBranchOnly(String name, boolean oneBatch) throws IOException {
    Batch batch = Batch.of(Parity.examples(name).subList(0, 2), 0);
    Dropout dropout = Dropout.hiddenKey(0.2, 0.1, 2);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F64)) {
      TwoForwards reference = new TwoForwards(adapted, dropout, SEED, OPTIMIZER_STEP);
      double[][] constant = reference.branch(batch, 1);
      LanguageModelLoss loss = adapted.loss(dropout, SEED, oneBatch);
      Map<String, double[]> gradients =
          adapted.gradients(scope -> loss.of(scope, batch, OPTIMIZER_STEP, 1).total());
      assertDerivatives(
          adapted, gradients, () -> reference.total(batch, reference.branch(batch, 0), constant));
    }
  }

  @ParameterizedTest
  @CsvSource({"gpt2,false", "llama,false", "llama,true"})
  void gradientThroughBothBranchesIsThatOfTheWholeLoss(String name, boolean oneBatch)
      throws IOException {
    Batch batch = Batch.of(Parity.examples(name).subList(0, 2), 0);
    Dropout both = Dropout.hiddenKey(0.2, 0.1, 2).withBothBranches(true);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F64)) {
      LanguageModelLoss loss = adapted.loss(both, SEED, oneBatch);
      Map<String, double[]> gradients =
          adapted.gradients(scope -> loss.of(scope, batch, OPTIMIZER_STEP, 1).total());
      assertDerivatives(adapted, gradients, () -> total(loss, batch));
      LanguageModelLoss one = adapted.loss(both.withBothBranches(false), SEED, oneBatch);
      assertThat(total(one, batch)).isEqualTo(total(loss, batch));
      adapted
          .gradients(scope -> one.of(scope, batch, OPTIMIZER_STEP, 1).total())
          .forEach((key, found) ->
              assertThat(Parity.distance(found, gradients.get(key))).as(key).isGreaterThan(1e-3));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,ALL,0.2",
    "llama,ALL,0.2",
    "mistral,LATTER_HALF,0.2",
    "qwen3,LATTER_HALF,0.2",
    "mistral,ALL,0.9"
  })
  void hiddenKeyMinusEqualsCentralDifferences(String name, Dropout.Layers layers, double keyRate)
      throws IOException {
    Batch batch = Batch.of(Parity.examples(name).subList(0, 2), 0);
    Dropout minus = Dropout.hiddenKeyMinus(keyRate, 0.1).withLayers(layers);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F64)) {
      LanguageModelLoss loss = adapted.loss(minus, SEED, false);
      assertDerivatives(
          adapted,
          adapted.gradients(scope -> loss.of(scope, batch, OPTIMIZER_STEP, 1).total()),
          () -> total(loss, batch));
    }
  }

  /// Compares two elements of every A and B.
  private static void assertDerivatives(
      AdaptedModel adapted, Map<String, double[]> gradients, DoubleSupplier loss) {
    adapted
        .adapter()
        .parameters()
        .forEach((key, tensor) -> {
          double[] gradient = requireNonNull(gradients.get(key));
          double largest = 0;
          for (double each : gradient) {
            largest = Math.max(largest, Math.abs(each));
          }
          assertThat(largest).as(key).isPositive();
          for (int at : new int[] {0, gradient.length / 2 + 1}) {
            double difference = derivative(tensor, at, loss);
            assertThat(gradient[at])
                .as("%s[%d]", key, at)
                .isCloseTo(difference, within(1e-6 * largest));
          }
        });
  }

  private static double derivative(Tensor tensor, int at, DoubleSupplier loss) {
    double value = tensor.toDoubles()[at];
    TestDevice.set(tensor, at, value + STEP);
    double above = loss.getAsDouble();
    TestDevice.set(tensor, at, value - STEP);
    double below = loss.getAsDouble();
    TestDevice.set(tensor, at, value);
    return (above - below) / (2 * STEP);
  }
}
