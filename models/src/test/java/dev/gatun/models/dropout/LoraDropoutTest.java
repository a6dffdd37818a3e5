package dev.gatun.models.dropout;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// LoRA Dropout, arXiv:2404.09610, sections 3.1 to 3.3 and theorem 4.5.
class LoraDropoutTest {
  private static final long SEED = 11;

  /// Masks on the weights of an adapter do what masks on the activations around it would: B A with
  /// columns of A and rows of B at 0 is m_B (B (A (m_A x))).
  @Test
  void maskedWeightsEqualMaskedActivations() throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F64)) {
      AdapterLayer layer = requireNonNull(adapted.adapter().layers(adapted.scope())[0]);
      int rank = (int) layer.a().size(0);
      int in = (int) layer.a().size(1);
      int out = (int) layer.b().size(0);
      double[] a = layer.a().toDoubles();
      double[] b = layer.b().toDoubles();
      float[][] factors =
          requireNonNull(
              new DropoutMasks.Source(Dropout.loraDropout(0.4, 1), SEED, 2, 0, 0)
                  .adapter(0, in, out));
      double[] x = new Random(1).doubles(in).toArray();
      for (int o = 0; o < out; o++) {
        double weights = 0;
        double activations = 0;
        for (int r = 0; r < rank; r++) {
          double u = 0;
          for (int i = 0; i < in; i++) {
            weights += factors[1][o] * b[o * rank + r] * a[r * in + i] * factors[0][i] * x[i];
            u += a[r * in + i] * (factors[0][i] * x[i]);
          }
          activations += b[o * rank + r] * u;
        }
        assertThat(factors[1][o] * activations).isCloseTo(weights, within(1e-12));
      }
    }
  }

  /// A share of 2p - p² of B A is 0, and its mean over many draws is (1 - p)² B A.
  @Test
  void entriesOfTheUpdateVanishAtTwoPLessPSquared() {
    double p = 0.3;
    int in = 40;
    int out = 30;
    double[] mean = new double[in * out];
    int zeros = 0;
    int draws = 400;
    for (int draw = 0; draw < draws; draw++) {
      float[][] factors =
          requireNonNull(
              new DropoutMasks.Source(Dropout.loraDropout(p, 1), SEED, draw, 0, 0)
                  .adapter(3, in, out));
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          float kept = factors[1][o] * factors[0][i];
          zeros += kept == 0 ? 1 : 0;
          mean[o * in + i] += kept / draws;
        }
      }
    }
    assertThat(zeros / (double) (draws * in * out)).isCloseTo(2 * p - p * p, within(0.01));
    for (double each : mean) {
      assertThat(each).isCloseTo((1 - p) * (1 - p), within(0.13)); // 5 standard deviations
    }
  }

  @Test
  void oneInstanceAtRateZeroIsPlainLora() throws IOException {
    Batch batch = Batch.of(Parity.examples("llama"), 0);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      LanguageModelLoss plain = adapted.loss(Dropout.NONE, SEED, false);
      for (int instances : new int[] {1, 4}) {
        LanguageModelLoss none = adapted.loss(Dropout.loraDropout(0, instances), SEED, false);
        Map<String, double[]> expected =
            adapted.gradients(scope -> plain.of(scope, batch, 1, 0.1).total());
        adapted
            .gradients(scope -> none.of(scope, batch, 1, 0.1).total())
            .forEach((key, found) -> assertThat(found).as(key).isEqualTo(expected.get(key)));
      }
    }
  }

  /// N instances in one pass are the mean of N passes of one: loss and gradients.
  @Test
  void instancesInOnePassAreTheMeanOfPassesOfOne() throws IOException {
    Batch batch = Batch.of(Parity.examples("llama"), 0);
    Dropout three = Dropout.loraDropout(0.3, 3);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F64);
        Scope scope = TestDevice.open()) {
      double found = adapted.loss(three, SEED, false).of(scope, batch, 4, 1).task();
      double mean = 0;
      for (int i = 0; i < 3; i++) {
        mean += member(adapted, three, i, batch) / 3;
      }
      assertThat(found).isCloseTo(mean, within(1e-10 * mean));
    }
  }

  /// Returns the loss under one draw: that of the adapter whose matrices are masked by hand.
  private static double member(AdaptedModel adapted, Dropout method, int instance, Batch batch) {
    Map<String, double[]> before = adapted.values();
    DropoutMasks.Source source = new DropoutMasks.Source(method, SEED, 4, 2 * instance, 0);
    @org.jspecify.annotations.Nullable
    AdapterLayer[] layers = adapted.adapter().layers(adapted.scope());
    for (int index = 0; index < layers.length; index++) {
      AdapterLayer layer = layers[index];
      if (layer == null) {
        continue;
      }
      int rank = (int) layer.a().size(0);
      int in = (int) layer.a().size(1);
      int out = (int) layer.b().size(0);
      float[][] factors = requireNonNull(source.adapter(index, in, out));
      for (int i = 0; i < rank * in; i++) {
        scale(layer.a(), i, factors[0][i % in]);
      }
      for (int i = 0; i < out * rank; i++) {
        scale(layer.b(), i, factors[1][i / rank]);
      }
    }
    try (Scope scope = TestDevice.open()) {
      return adapted.loss(Dropout.NONE, SEED, false).of(scope, batch, 0, 1).task();
    } finally {
      adapted
          .adapter()
          .parameters()
          .forEach((name, tensor) -> restore(tensor, requireNonNull(before.get(name))));
    }
  }

  private static void scale(dev.gatun.runtime.Tensor tensor, int at, float factor) {
    TestDevice.set(tensor, at, tensor.toDoubles()[at] * factor);
  }

  private static void restore(dev.gatun.runtime.Tensor tensor, double[] values) {
    try (Scope scope = TestDevice.open()) {
      Layout.copyInPlace(tensor, scope.of(values, tensor.shape()));
    }
  }

  /// Theorem 4.5: the cross-entropy of averaged logits, or probabilities, is at most the mean of
  /// the members'.
  @ParameterizedTest
  @EnumSource(Evaluation.Average.class)
  void ensembleIsNoWorseThanItsMembersOnAverage(Evaluation.Average average) throws IOException {
    Dataset data = new Dataset(Parity.examples("llama"), 0, 0);
    Dropout method = Dropout.loraDropout(0.5, 6);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F64);
        Scope scope = TestDevice.open()) {
      Evaluation ensemble =
          Evaluation.ensemble(
              adapted.model(), adapted.adapter(), data, method, SEED, average, done -> {});
      Batch batch = Batch.of(data.examples(), 0);
      double members =
          adapted.loss(method, SEED, false).of(scope, batch, 0, 1).task() / batch.targetCount();
      assertThat(ensemble.loss()).isLessThan(members);
      assertThat(ensemble.loss()).isGreaterThan(members - 1);
      Evaluation one =
          Evaluation.ensemble(
              adapted.model(),
              adapted.adapter(),
              data,
              method.withInstances(1),
              SEED,
              average,
              done -> {});
      double single =
          adapted.loss(method.withInstances(1), SEED, false).of(scope, batch, 0, 1).task();
      assertThat(one.loss()).isCloseTo(single / batch.targetCount(), within(1e-9));
    }
  }
}
