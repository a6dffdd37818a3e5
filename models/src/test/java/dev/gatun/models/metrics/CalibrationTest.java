package dev.gatun.models.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class CalibrationTest {
  private static final double[][] PROBABILITIES = {{0.75, 0.25}, {0.5, 0.5}};

  @Test
  void drawsAReliabilityDiagramByHand() {
    Calibration found =
        Calibration.of(
            new double[] {0.875, 0.625, 0.25, 0.5}, new boolean[] {true, false, true, true}, 4);
    assertThat(found.bins())
        .isEqualTo(
            List.of(
                new Calibration.Bin(0, 0.25, 1, 0.25, 1),
                new Calibration.Bin(0.25, 0.5, 1, 0.5, 1),
                new Calibration.Bin(0.5, 0.75, 1, 0.625, 0),
                new Calibration.Bin(0.75, 1, 1, 0.875, 1)));
    assertThat(found.error()).isEqualTo((0.75 + 0.5 + 0.625 + 0.125) / 4);
  }

  @Test
  void weighsBinsByTheirPredictions() {
    Calibration found =
        Calibration.of(
            new double[] {0.75, 1, 0.75, 0.25}, new boolean[] {true, false, true, false}, 2);
    // 3/4 · |2/3 - 2.5/3| + 1/4 · |0 - 1/4|
    assertThat(found.error()).isCloseTo(0.125 + 0.0625, within(1e-15));
  }

  @Test
  void takesTheFirstOfEquallyProbableClasses() {
    Calibration found = Calibration.of(PROBABILITIES, new int[] {0, 0}, 1);
    assertThat(found.bins()).isEqualTo(List.of(new Calibration.Bin(0, 1, 2, 0.625, 1)));
  }

  @Test
  void computesProperScoresByHand() {
    int[] labels = {1, 0};
    assertThat(Calibration.brier(PROBABILITIES, labels)).isEqualTo((2 * 0.5625 + 2 * 0.25) / 2);
    assertThat(Calibration.negativeLogLikelihood(PROBABILITIES, labels))
        .isCloseTo(Math.log(8) / 2, within(1e-15));
    assertThat(Calibration.negativeLogLikelihood(new double[][] {{1, 0}}, new int[] {1}))
        .isInfinite();
    assertThat(Calibration.perplexity(new double[] {Math.log(0.5), Math.log(0.125)}))
        .isCloseTo(4, within(1e-14));
    assertThat(Calibration.perplexity(new double[] {Double.NEGATIVE_INFINITY})).isInfinite();
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> Calibration.of(new double[0], new boolean[0], 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("calibration: found no predictions, expected some");
    assertThatThrownBy(() -> Calibration.of(new double[1], new boolean[1], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("calibration: found 0 bins, expected at least 1");
    assertThatThrownBy(() -> Calibration.of(new double[] {Double.NaN}, new boolean[1], 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("calibration: found probability NaN at 0, expected 0 to 1");
    assertThatThrownBy(() -> Calibration.brier(new double[][] {{1.5, -0.5}}, new int[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Brier score: found probability 1.5 at 0, expected 0 to 1");
    assertThatThrownBy(() -> Calibration.brier(new double[][] {{0.5, 0.25}}, new int[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Brier score: found probabilities that sum to 0.75 at 0, expected 1");
    assertThatThrownBy(() -> Calibration.negativeLogLikelihood(PROBABILITIES, new int[] {0, 2}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("negative log-likelihood: found label 2 at 1, expected one of 2 classes");
    assertThatThrownBy(() -> Calibration.of(PROBABILITIES, new int[1], 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("calibration: found 2 predictions, expected 1, one for each label");
    assertThatThrownBy(() -> Calibration.perplexity(new double[0]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Calibration.perplexity(new double[] {-1, 0.5}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("perplexity: found log probability 0.5 at 1, expected at most 0");
    assertThatThrownBy(() -> Calibration.perplexity(new double[] {Double.NaN}))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
