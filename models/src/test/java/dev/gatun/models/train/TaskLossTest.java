package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.TestDevice;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Ragged;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TaskLossTest {
  private static Tensor logits(Scope scope) {
    return scope.of(new double[] {0, Math.log(3), 5, 5, Math.log(7), 0}, 3, 2);
  }

  @Test
  void rowsWithoutALabelAreLeftOut() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = logits(scope);
      Gradients gradients =
          Tape.gradients(
              scope, List.of(x), s -> TaskLoss.classification(s, x, new int[] {1, -100, 1}, 0.5));
      assertThat(gradients.value().item())
          .isCloseTo(0.5 * (Math.log(4.0 / 3) + Math.log(8)), within(1e-12));
      assertThat(Objects.requireNonNull(gradients.of(x)).toDoubles())
          .containsExactly(new double[] {0.125, -0.125, 0, 0, 7.0 / 16, -7.0 / 16}, within(1e-12));
    }
  }

  @Test
  void nothingToLearnIsNoLoss() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = logits(scope);
      Ragged batch = Ragged.of(scope, 0, 1, 3);
      Gradients none =
          Tape.gradients(
              scope,
              List.of(x),
              s -> TaskLoss.answers(s, x, batch, new int[] {1, 2}, new int[] {9, 2}));
      assertThat(none.value().item()).isZero();
      assertThat(Objects.requireNonNull(none.of(x)).toDoubles()).containsOnly(0);
      assertThat(TaskLoss.counted(batch, new int[] {0, 2})).isEqualTo(1);
    }
  }

  @Test
  void valuesThatAreNoLabelsAreRefused() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = logits(scope);
      Ragged batch = Ragged.of(scope, 0, 1, 3);
      assertThatThrownBy(() -> TaskLoss.classification(scope, x, new int[] {0, 2, 0}, 1))
          .isInstanceOf(ShapeException.class)
          .hasMessage("classification: found label 2, expected 0 to 1");
      assertThatThrownBy(() -> TaskLoss.classification(scope, x, new int[] {0, 1}, 1))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("expected 2 rows");
      assertThatThrownBy(() -> TaskLoss.regression(scope, x, new double[3], 1))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("expected (B, 1)");
      assertThatThrownBy(
              () -> TaskLoss.answers(scope, x, batch, new int[] {0, -1}, new int[] {0, 0}))
          .isInstanceOf(ShapeException.class)
          .hasMessage("question answering: found positions [0, -1], expected 2 of 0 or more");
    }
  }
}
