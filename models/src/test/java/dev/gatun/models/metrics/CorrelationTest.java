package dev.gatun.models.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CorrelationTest {
  private static final double[] RISING = {1, 2, 3, 4};

  @Test
  void sharesRanksBetweenTies() {
    // ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4
    assertThat(Correlation.spearman(new double[] {1, 20, 20, 21}, RISING))
        .isCloseTo(4.5 / Math.sqrt(4.5 * 5), within(1e-15));
    assertThat(Correlation.spearman(new double[] {0.0, -0.0, 1, 1}, new double[] {1, 1, 2, 2}))
        .isCloseTo(1, within(1e-15));
  }

  @Test
  void correlatesByHand() {
    // deviations -1, 0, 1 and -2, 1, 1
    assertThat(Correlation.pearson(new double[] {1, 2, 3}, new double[] {0, 3, 3}))
        .isCloseTo(3 / Math.sqrt(12), within(1e-15));
  }

  @Test
  void standsValuesWhoseSquaresDoNotFit() {
    double[] large = {1e200, 2e200, 3e200, 4e200};
    double[] small = {-1e-200, -2e-200, -3e-200, -4e-200};
    assertThat(Correlation.pearson(large, small)).isCloseTo(-1, within(1e-15));
  }

  @Test
  void hasNoCorrelationWithConstants() {
    double[] constant = {0.1, 0.1, 0.1, 0.1};
    assertThat(Correlation.pearson(constant, RISING)).isNaN();
    assertThat(Correlation.spearman(RISING, constant)).isNaN();
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> Correlation.pearson(new double[0], new double[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Pearson correlation: found no predictions, expected some");
    assertThatThrownBy(() -> Correlation.pearson(new double[1], new double[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Pearson correlation: found 1 prediction, expected at least 2");
    assertThatThrownBy(() -> Correlation.spearman(RISING, new double[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Spearman correlation: found 4 predictions, expected 3, one for each label");
    assertThatThrownBy(() -> Correlation.spearman(RISING, new double[] {1, 2, Double.NaN, 0}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Spearman correlation, labels: found NaN at 2, expected a finite number");
    assertThatThrownBy(
            () -> Correlation.pearson(new double[] {1, Double.POSITIVE_INFINITY}, new double[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Pearson correlation, predictions: found Infinity at 1, expected a finite number");
  }
}
