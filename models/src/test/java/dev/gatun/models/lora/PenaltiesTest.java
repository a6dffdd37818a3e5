package dev.gatun.models.lora;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.TestDevice;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.Linear;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The terms of the loss that depend on an adapter alone.
class PenaltiesTest {
  private static Tensor random(Scope scope, long seed, long rows, long columns) {
    Random random = new Random(seed);
    double[] values = random.doubles(rows * columns, -1, 1).toArray();
    return scope.of(values, rows, columns);
  }

  private static void assertGradients(List<Tensor> leaves, Function<Scope, Tensor> function) {
    try (Scope scope = TestDevice.open()) {
      Gradients gradients = Tape.gradients(scope, leaves, function);
      for (Tensor leaf : leaves) {
        double[] found = requireNonNull(gradients.of(leaf)).toDoubles();
        double[] values = leaf.toDoubles();
        for (int i = 0; i < values.length; i++) {
          double[] around = new double[2];
          for (int j = 0; j < 2; j++) {
            TestDevice.set(leaf, i, values[i] + (j == 0 ? 1e-6 : -1e-6));
            around[j] = function.apply(scope).item();
          }
          TestDevice.set(leaf, i, values[i]);
          assertThat(found[i]).isCloseTo((around[0] - around[1]) / 2e-6, within(1e-7));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void orthogonalityHasTheGradientOfItsValue(boolean columns, boolean squared) {
    try (Scope scope = TestDevice.open()) {
      Tensor matrix = columns ? random(scope, 1, 7, 3) : random(scope, 1, 3, 7);
      assertGradients(
          List.of(matrix), s -> Penalties.orthogonality(s, matrix, columns, 0.7, squared));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void orthonormalMatricesCostNothing(boolean squared) {
    try (Scope scope = TestDevice.open()) {
      double[] rotated = {0.6, 0.8, 0, 0.8, -0.6, 0};
      Tensor matrix = scope.of(rotated, 2, 3);
      Gradients gradients =
          Tape.gradients(
              scope, List.of(matrix), s -> Penalties.orthogonality(s, matrix, false, 1, squared));
      assertThat(gradients.value().item()).isCloseTo(0, within(1e-15));
      for (double each : requireNonNull(gradients.of(matrix)).toDoubles()) {
        assertThat(each).isBetween(-4.0, 4.0);
      }
    }
  }

  @Test
  void exactlyOrthonormalMatricesHaveNoGradient() {
    try (Scope scope = TestDevice.open()) {
      Tensor matrix = scope.of(new double[] {1, 0, 0, 0, 1, 0}, 2, 3);
      Gradients gradients =
          Tape.gradients(
              scope, List.of(matrix), s -> Penalties.orthogonality(s, matrix, false, 1, false));
      assertThat(gradients.value().item()).isZero();
      assertThat(requireNonNull(gradients.of(matrix)).toDoubles()).containsOnly(0);
    }
  }

  @Test
  void squaredChangeIsThatOfTheWholeMatrixAndHasItsGradient() {
    try (Scope scope = TestDevice.open()) {
      Tensor a = random(scope, 2, 3, 6);
      Tensor b = random(scope, 3, 5, 3);
      AdapterLayer layer = new AdapterLayer(a, b, 1.5, null);
      double expected = 0;
      double[] as = a.toDoubles();
      double[] bs = b.toDoubles();
      for (int o = 0; o < 5; o++) {
        for (int i = 0; i < 6; i++) {
          double entry = 0;
          for (int r = 0; r < 3; r++) {
            entry += 1.5 * bs[o * 3 + r] * as[r * 6 + i];
          }
          expected += 0.4 * entry * entry;
        }
      }
      assertThat(Penalties.squaredChange(scope, layer, 0.4).item())
          .isCloseTo(expected, within(1e-12));
      assertGradients(List.of(a, b), s -> Penalties.squaredChange(s, layer, 0.4));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void penaltyOfAnAdapterIsThatOfWhatMergingAdds(String name) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F64);
        Scope scope = TestDevice.open()) {
      double expected = 0;
      Map<String, Tensor> merged = adapted.adapter().merged(scope, adapted.model());
      for (Linear linear : adapted.model().linears()) {
        double[] before = linear.weight().value().toDoubles();
        double[] after = requireNonNull(merged.get(linear.weight().name())).toDoubles();
        for (int i = 0; i < before.length; i++) {
          expected += 0.3 * Math.pow(after[i] - before[i], 2);
        }
      }
      LoraAdapter plain = adapted.adapter();
      assertThat(plain.penalty(scope)).isNull();
      Tensor penalty = plain.with(new LoraTraining(1, 0.3, false)).penalty(scope);
      assertThat(requireNonNull(penalty).item()).isCloseTo(expected, within(1e-9 * expected));
    }
  }

  @Test
  void weightIsThatOfTheTheory() {
    assertThat(LoraTraining.sparsity(2, 0.5)).isEqualTo(1.5);
    assertThat(LoraTraining.sparsity(2, 0)).isZero();
    assertThat(LoraTraining.sparsity(3, 1)).isEqualTo(3);
  }
}
