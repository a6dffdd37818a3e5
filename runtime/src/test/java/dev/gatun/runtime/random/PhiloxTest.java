package dev.gatun.runtime.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.LeakCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

@ExtendWith(LeakCheck.class)
class PhiloxTest {
  private static int word(JsonNode words, int index) {
    return Integer.parseUnsignedInt(words.get(index).asString(), 16);
  }

  @Test
  void givesTheKnownAnswers() {
    JsonNode cases = Fixture.json("philox.json");
    int published = 0;
    for (JsonNode row : cases) {
      JsonNode counter = row.get("counter");
      JsonNode key = row.get("key");
      long longKey = (word(key, 0) & 0xFFFFFFFFL) | ((long) word(key, 1) << 32);
      int[] words = new int[6];
      Philox.block(
          longKey,
          word(counter, 0),
          word(counter, 1),
          word(counter, 2),
          word(counter, 3),
          words,
          1);
      JsonNode expected = row.get("output");
      assertThat(words)
          .containsExactly(
              0, word(expected, 0), word(expected, 1), word(expected, 2), word(expected, 3), 0);
      published += row.get("published").asBoolean() ? 1 : 0;
    }
    assertThat(published).as("known answers of Random123").isEqualTo(3);
    assertThat(cases.size()).isGreaterThan(10);
  }

  @Test
  void thresholdIsTheShareOfTheUnsignedWords() {
    assertThat(Philox.threshold(0)).isZero();
    assertThat(Philox.threshold(0.5)).isEqualTo(1L << 31);
    assertThat(Philox.threshold(0.1)).isEqualTo(429_496_729);
    assertThat(Philox.threshold(Math.nextDown(1.0))).isEqualTo((1L << 32) - 1);
    assertThat(Philox.threshold(0x1p-33)).isZero();
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 1, 1.5, Double.NaN, Double.POSITIVE_INFINITY})
  void thresholdRefusesWhatIsNoRate(double p) {
    assertThatThrownBy(() -> Philox.threshold(p))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found " + p)
        .hasMessageContaining("0 <= p < 1");
  }

  @Test
  void uniformFillsTheUnitInterval() {
    assertThat(Philox.uniform(0, 0)).isZero();
    assertThat(Philox.uniform(-1, -1)).isEqualTo(Math.nextDown(1.0)).isLessThan(1);
    assertThat(Philox.uniform(1 << 31, 0)).isEqualTo(0.5);
    assertThat(Philox.uniform(0, 1 << 11)).isEqualTo(0x1p-53);
    assertThat(Philox.uniform(0, (1 << 11) - 1)).isZero();
  }
}
