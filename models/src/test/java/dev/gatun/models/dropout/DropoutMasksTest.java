package dev.gatun.models.dropout;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.TestDevice;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Ragged;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What the masks of a layer are, as the acceptance checks of the HiddenKey paper want them.
class DropoutMasksTest {
  private static final int LAYERS = 4;
  private static final int HEADS = 4;

  private static DropoutMasks masks(Dropout dropout, int pass, int... rows) {
    return masks(dropout, 7, 3, pass, rows);
  }

  static DropoutMasks masks(Dropout dropout, long seed, int step, int pass, int... rows) {
    return new DropoutMasks(
        Arrays.stream(rows)
            .mapToObj(row -> new DropoutMasks.Source(dropout, seed, step, pass, row))
            .toList(),
        LAYERS);
  }

  private static float[] keys(DropoutMasks masks, int layer, int... offsets) {
    try (Scope scope = TestDevice.open()) {
      return requireNonNull(masks.keys(layer, HEADS, Ragged.of(scope, offsets), true))
          .draw(scope)
          .toFloats();
    }
  }

  private static float[] hidden(DropoutMasks masks, int layer, int width, int... offsets) {
    try (Scope scope = TestDevice.open()) {
      Ragged batch = Ragged.of(scope, offsets);
      float[] all = new float[batch.tokens() * width];
      for (int token = 0; token < batch.tokens(); token++) {
        float[] factors = new float[width];
        requireNonNull(masks.hidden(layer, batch)).factors(factors, token);
        System.arraycopy(factors, 0, all, token * width, width);
      }
      return all;
    }
  }

  @Test
  void keyMaskIsOneColumnForAllQueries() {
    try (Scope scope = TestDevice.open()) {
      Ragged batch = Ragged.of(scope, 0, 5, 12, 15);
      DropoutMasks masks = masks(Dropout.dropKey(0.3), 0, 0, 1, 2);
      Tensor mask = requireNonNull(masks.keys(2, HEADS, batch, true)).draw(scope);
      assertThat(mask.shape()).containsExactly(3, HEADS, 1, 7);
      for (float value : mask.toFloats()) {
        assertThat(value == 0 || value == Float.NEGATIVE_INFINITY).isTrue();
      }
    }
  }

  @Test
  void rateOfKeysIsTheDropRate() {
    float[] mask = keys(masks(Dropout.dropKey(0.1), 0, 0), 3, 0, 50_001);
    long dropped = IntStream.range(0, mask.length).filter(i -> mask[i] != 0).count();
    // standard deviation of the rate over 200,000 draws: 0.0007
    assertThat(dropped / (double) mask.length).isCloseTo(0.1, within(0.0035));
  }

  @Test
  void firstPositionIsNeverDropped() {
    for (int row = 0; row < 50; row++) {
      float[] mask = keys(masks(Dropout.dropKey(0.9), 0, row, row + 1), 2, 0, 4, 7);
      for (int line = 0; line < 2 * HEADS; line++) {
        assertThat(mask[line * 4]).isZero();
      }
    }
  }

  @Test
  void headsSequencesLayersBranchesStepsAndSeedsAreIndependent() {
    int tokens = 4001;
    Dropout dropout = Dropout.dropKey(0.3);
    float[] both = keys(masks(dropout, 0, 0, 1), 2, 0, tokens, 2 * tokens);
    float[] reference = Arrays.copyOf(both, tokens);
    assertIndependent(reference, Arrays.copyOfRange(both, tokens, 2 * tokens));
    assertIndependent(reference, Arrays.copyOfRange(both, HEADS * tokens, (HEADS + 1) * tokens));
    assertIndependent(reference, keys(masks(dropout, 0, 0), 3, 0, tokens));
    assertIndependent(reference, keys(masks(dropout, 1, 0), 2, 0, tokens));
    assertIndependent(reference, keys(masks(dropout, 7L, 4, 0, 0), 2, 0, tokens));
    assertIndependent(reference, keys(masks(dropout, 8L, 3, 0, 0), 2, 0, tokens));
    Dropout cut = Dropout.hiddenCut(0.3);
    float[] elements = hidden(masks(cut, 0, 0), 2, 1, 0, tokens);
    float[] asKeys = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      asKeys[i] = elements[i] == 0 ? Float.NEGATIVE_INFINITY : 0;
    }
    assertIndependent(reference, asKeys);
  }

  /// Two masks of rate 0.3 agree on 58 % of the keys where they are independent.
  private static void assertIndependent(float[] one, float[] other) {
    int length = Math.min(one.length, other.length);
    double agree = IntStream.range(1, length).filter(i -> one[i] == other[i]).count();
    assertThat(agree / (length - 1)).isCloseTo(0.58, within(0.035));
  }

  @Test
  void elementMaskKeepsItsMean() {
    float[] mask = hidden(masks(Dropout.hiddenCut(0.1), 0, 0), 2, 64, 0, 2000);
    float kept = (float) (1 / 0.9);
    double sum = 0;
    int zeros = 0;
    for (float value : mask) {
      assertThat(value == 0 || value == kept).isTrue();
      sum += value;
      zeros += value == 0 ? 1 : 0;
    }
    assertThat(zeros / (double) mask.length).isCloseTo(0.1, within(0.005));
    assertThat(sum / mask.length).isCloseTo(1, within(0.005));
  }

  @Test
  void masksBelongToRowsNotToPlacesInABatch() {
    Dropout dropout = Dropout.hiddenKeyMinus(0.3, 0.2);
    int[] offsets = {0, 3, 10, 14};
    float[] all = hidden(masks(dropout, 0, 4, 5, 6), 3, 10, offsets);
    float[] columns = keys(masks(dropout, 0, 4, 5, 6), 3, offsets);
    for (int i = 0; i < 3; i++) {
      int length = offsets[i + 1] - offsets[i];
      DropoutMasks alone = masks(dropout, 0, 4 + i);
      assertThat(hidden(alone, 3, 10, 0, length))
          .isEqualTo(Arrays.copyOfRange(all, offsets[i] * 10, offsets[i + 1] * 10));
      float[] own = keys(alone, 3, 0, length);
      for (int head = 0; head < HEADS; head++) {
        int at = (i * HEADS + head) * 7;
        assertThat(Arrays.copyOfRange(own, head * length, (head + 1) * length))
            .isEqualTo(Arrays.copyOfRange(columns, at, at + length));
      }
    }
  }

  @Test
  void latterHalfOfTheLayersIsMaskedUnlessAllAreAsked() {
    try (Scope scope = TestDevice.open()) {
      Ragged batch = Ragged.of(scope, 0, 6);
      Dropout dropout = Dropout.hiddenKeyMinus(0.2, 0.2);
      for (int layer = 0; layer < LAYERS; layer++) {
        boolean latter = layer >= 2;
        DropoutMasks half = masks(dropout, 0, 0);
        assertThat(half.keys(layer, HEADS, batch, true) != null).isEqualTo(latter);
        assertThat(half.hidden(layer, batch) != null).isEqualTo(latter);
        DropoutMasks every = masks(dropout.withLayers(Dropout.Layers.ALL), 0, 0);
        assertThat(every.keys(layer, HEADS, batch, true)).isNotNull();
        assertThat(every.hidden(layer, batch)).isNotNull();
      }
      assertThat(dropout.sharedLayers(5)).isEqualTo(2);
      DropoutMasks keysAlone = masks(Dropout.dropKey(0.2), 0, 0);
      assertThat(keysAlone.hidden(3, batch)).isNull();
      DropoutMasks cutAlone = masks(Dropout.hiddenCut(0.2), 0, 0);
      assertThat(cutAlone.keys(3, HEADS, batch, true)).isNull();
    }
  }

  @Test
  void ratesOutsideTheirRangeAreRefused() {
    for (double rate : new double[] {-0.1, 1, 1.5, Double.NaN}) {
      assertThatThrownBy(() -> Dropout.dropKey(rate))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("key: found rate " + rate + ", expected 0 <= p < 1");
      assertThatThrownBy(() -> Dropout.hiddenCut(rate))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("hidden: ");
    }
    for (double lambda : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> Dropout.hiddenKey(0.1, 0.1, lambda))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("lambda: ");
    }
  }

  private static float[] weights(DropoutMasks masks, int layer, boolean causal, int... offsets) {
    try (Scope scope = TestDevice.open()) {
      Ragged batch = Ragged.of(scope, offsets);
      return requireNonNull(masks.weights(layer, HEADS, batch, causal)).draw(scope).toFloats();
    }
  }

  @Test
  void elementMaskOfKeysHasALineForEachQuery() {
    try (Scope scope = TestDevice.open()) {
      Dropout dropout = Dropout.of(Mask.of(Position.KEY, Pattern.ELEMENT, 0.3));
      Ragged batch = Ragged.of(scope, 0, 40, 70);
      Tensor mask = requireNonNull(masks(dropout, 0, 0, 1).keys(2, HEADS, batch, true)).draw(scope);
      assertThat(mask.shape()).containsExactly(2, HEADS, 40, 40);
      float[] values = mask.toFloats();
      for (int line = 0; line < 2 * HEADS * 40; line++) {
        assertThat(values[line * 40]).isZero();
      }
      assertIndependent(Arrays.copyOfRange(values, 0, 800), Arrays.copyOfRange(values, 800, 1600));
    }
  }

  @Test
  void aSpanIsOneRunOfTheRoundedLength() {
    Dropout dropout = Dropout.of(Mask.of(Position.WEIGHT, Pattern.SPAN, 0.25));
    int[] starts = new int[20];
    for (int row = 0; row < 400; row++) {
      float[] factors = weights(masks(dropout, 0, row), 2, false, 0, 17);
      for (int head = 0; head < HEADS; head++) {
        float[] line = Arrays.copyOfRange(factors, head * 17, (head + 1) * 17);
        int first = 0;
        while (line[first] == 1) {
          first++;
        }
        starts[first]++;
        for (int i = 0; i < 17; i++) {
          assertThat(line[i]).isEqualTo(i >= first && i < first + 4 ? 0 : 1);
        }
      }
    }
    // 14 places, 1,600 draws: 114 each, standard deviation 10
    for (int start = 0; start < 14; start++) {
      assertThat(starts[start]).isBetween(70, 160);
    }
  }

  @Test
  void columnsOfHiddenElementsAreWholeTokens() {
    for (Position position : new Position[] {Position.HIDDEN, Position.INPUT, Position.OUTPUT}) {
      Dropout dropout = Dropout.of(Mask.of(position, Pattern.COLUMN, 0.2));
      DropoutMasks masks = masks(dropout, 0, 0);
      try (Scope scope = TestDevice.open()) {
        Ragged batch = Ragged.of(scope, 0, 5000);
        var factors =
            requireNonNull(
                switch (position) {
                  case HIDDEN -> masks.hidden(3, batch);
                  case INPUT -> masks.input(batch);
                  default -> masks.output(batch);
                });
        int dropped = 0;
        for (int token = 0; token < 5000; token++) {
          float[] row = new float[3];
          factors.factors(row, token);
          assertThat(row[0] == 0 || row[0] == 1).isTrue();
          assertThat(row).containsOnly(row[0]);
          dropped += row[0] == 0 ? 1 : 0;
        }
        assertThat(dropped / 5000.0).isCloseTo(0.2, within(0.02));
      }
    }
  }

  @Test
  void aHeadThatDrewAllItsKeysKeepsAllWhereQueriesSeeForward() {
    Dropout dropout = Dropout.dropKey(0.9);
    int whole = 0;
    for (int row = 0; row < 200; row++) {
      try (Scope scope = TestDevice.open()) {
        Ragged batch = Ragged.of(scope, 0, 3);
        float[] mask =
            requireNonNull(masks(dropout, 0, row).keys(2, HEADS, batch, false))
                .draw(scope)
                .toFloats();
        for (int head = 0; head < HEADS; head++) {
          int kept = 0;
          for (int i = 0; i < 3; i++) {
            kept += mask[head * 3 + i] == 0 ? 1 : 0;
          }
          assertThat(kept).isPositive();
          whole += kept == 3 ? 1 : 0;
        }
      }
    }
    // all three drawn with 0.729: 583 of 800, standard deviation 13; none drawn with 0.001
    assertThat(whole).isBetween(520, 650);
  }

  @Test
  void ratesFallAndRiseOverTheMaskedLayers() {
    for (Depth depth : Depth.values()) {
      Mask mask = new Mask(Position.HIDDEN, Pattern.ELEMENT, 0.4, depth, Rescaling.NONE);
      DropoutMasks masks = masks(Dropout.of(mask), 0, 0);
      for (int layer = 2; layer < LAYERS; layer++) {
        float[] factors = hidden(masks, layer, 64, 0, 1000);
        double zeros = IntStream.range(0, factors.length).filter(i -> factors[i] == 0).count();
        double expected =
            switch (depth) {
              case CONSTANT -> 0.4;
              case FALLING -> layer == 2 ? 0.4 : 0.2;
              case RISING -> layer == 2 ? 0.2 : 0.4;
            };
        assertThat(zeros / factors.length).isCloseTo(expected, within(0.01));
      }
    }
  }

  @Test
  void adaptersLoseColumnsOfAAndRowsOfB() {
    DropoutMasks.Source source = new DropoutMasks.Source(Dropout.loraDropout(0.3, 4), 7, 3, 2, 0);
    float[][] factors = requireNonNull(source.adapter(5, 20_000, 30_000));
    for (float[] each : factors) {
      double zeros = IntStream.range(0, each.length).filter(i -> each[i] == 0).count();
      assertThat(zeros / each.length).isCloseTo(0.3, within(0.015));
    }
    DropoutMasks.Source other = new DropoutMasks.Source(Dropout.loraDropout(0.3, 4), 7, 3, 4, 0);
    assertIndependent(factors[0], requireNonNull(other.adapter(5, 20_000, 30_000))[0]);
    assertIndependent(factors[0], requireNonNull(source.adapter(6, 20_000, 30_000))[0]);
    assertIndependent(factors[0], factors[1]);
    assertThat(new DropoutMasks.Source(Dropout.dropKey(0.3), 7, 3, 2, 0).adapter(5, 4, 4)).isNull();
  }
}
