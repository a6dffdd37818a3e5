package dev.gatun.models.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ClassificationTest {
  private static final int[] PREDICTIONS = {1, 0, 1, 1};
  private static final int[] LABELS = {1, 0, 0, 1};

  @Test
  void countsByHand() {
    assertThat(Classification.accuracy(PREDICTIONS, LABELS)).isEqualTo(0.75);
    assertThat(Classification.binaryF1(PREDICTIONS, LABELS)).isEqualTo(0.8);
    assertThat(Classification.macroF1(PREDICTIONS, LABELS))
        .isCloseTo((4.0 / 5 + 2.0 / 3) / 2, within(1e-15));
    // (2·1 - 1·0) / sqrt(3 · 2 · 2 · 1)
    assertThat(Classification.matthews(PREDICTIONS, LABELS))
        .isCloseTo(1 / Math.sqrt(3), within(1e-15));
  }

  @Test
  void givesConstantPredictionsZero() {
    int[] zeros = new int[4];
    assertThat(Classification.binaryF1(zeros, LABELS)).isZero();
    assertThat(Classification.matthews(zeros, LABELS)).isZero();
    assertThat(Classification.matthews(zeros, zeros)).isZero();
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> Classification.accuracy(new int[0], new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("accuracy: found no predictions, expected some");
    assertThatThrownBy(() -> Classification.matthews(new int[2], new int[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Matthews correlation: found 2 predictions, expected 3, one for each label");
    assertThatThrownBy(() -> Classification.macroF1(new int[2], new int[3]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Classification.binaryF1(new int[] {0, 2}, new int[] {0, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("binary F1: found class 2 at 1, expected 0 or 1");
    assertThatThrownBy(() -> Classification.binaryF1(new int[] {0, 1}, new int[] {-1, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("binary F1: found class -1 at 0, expected 0 or 1");
  }
}
