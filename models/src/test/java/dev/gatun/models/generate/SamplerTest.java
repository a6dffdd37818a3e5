package dev.gatun.models.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// Which ids a choice may give, and how often.
class SamplerTest {
  private static final int DRAWS = 4000;
  private static final float[] LOGITS = {1, 3, 2, -1, 0};

  private static double[] shares(Sampling sampling, int... seen) {
    Sampler sampler = new Sampler(sampling, 0);
    double[] shares = new double[LOGITS.length];
    for (int i = 0; i < DRAWS; i++) {
      shares[sampler.choose(LOGITS.clone(), seen)] += 1.0 / DRAWS;
    }
    return shares;
  }

  private static double[] softmax(double temperature, int... among) {
    double[] shares = new double[LOGITS.length];
    double sum = 0;
    for (int id : among) {
      shares[id] = Math.exp(LOGITS[id] / temperature);
      sum += shares[id];
    }
    for (int id : among) {
      shares[id] /= sum;
    }
    return shares;
  }

  private static void assertShares(Sampling sampling, double[] expected) {
    double[] found = shares(sampling);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("id %d", i).isCloseTo(expected[i], within(0.035));
      if (expected[i] == 0) {
        assertThat(found[i]).as("id %d", i).isZero();
      }
    }
  }

  private static Sampling sampling(double temperature, int topK, double topP) {
    return Sampling.greedy(1).withChoice(temperature, topK, topP, 0).withSeed(5);
  }

  @Test
  void temperatureDividesTheLogits() {
    assertShares(sampling(1, 0, 1), softmax(1, 0, 1, 2, 3, 4));
    assertShares(sampling(2.5, 0, 1), softmax(2.5, 0, 1, 2, 3, 4));
    assertThat(shares(sampling(0.01, 0, 1))[1]).isCloseTo(1, within(1e-9));
  }

  @Test
  void topKKeepsTheLargest() {
    assertShares(sampling(1, 2, 1), softmax(1, 1, 2));
    assertShares(sampling(1, 1, 1), softmax(1, 1));
    assertShares(sampling(2, 99, 1), softmax(2, 0, 1, 2, 3, 4));
  }

  @Test
  void topPKeepsTheSmallestSetOfThatProbability() {
    // probabilities 0.08, 0.64, 0.23, 0.01, 0.03
    assertShares(sampling(1, 0, 0.6), softmax(1, 1));
    assertShares(sampling(1, 0, 0.7), softmax(1, 1, 2));
    assertShares(sampling(1, 0, 0.9), softmax(1, 0, 1, 2));
    assertShares(sampling(1, 0, 1e-9), softmax(1, 1));
    assertShares(sampling(1, 2, 0.7), softmax(1, 1));
  }

  @Test
  void penaltyDividesPositiveAndMultipliesNegativeLogitsOfSeenIds() {
    Sampling greedy = Sampling.greedy(1).withPenalties(2, 0, 0, 0);
    assertThat(new Sampler(greedy, 0).choose(LOGITS.clone(), 1)).isEqualTo(2);
    assertThat(new Sampler(greedy, 0).choose(LOGITS.clone(), 3)).isEqualTo(1);
    assertThat(new Sampler(greedy, 0).choose(new float[] {-1, -1.5f}, 0)).isEqualTo(1);
    assertThat(new Sampler(Sampling.greedy(1), 0).choose(LOGITS.clone(), 1)).isEqualTo(1);
  }

  @Test
  void penaltyCountsAnIdOnce() {
    Sampler sampler = new Sampler(Sampling.greedy(1).withPenalties(2, 0, 0, 0), 0);
    assertThat(sampler.choose(new float[] {8, 3}, 0, 0, 0)).isZero(); // 4, not 1
  }

  @Test
  void runsThatWereThereDoNotComeBack() {
    assertThat(next(1, 1, 2)).isEqualTo(0);
    assertThat(next(2, 4, 1, 3, 4)).isEqualTo(2); // 4 1 was there
    assertThat(next(2, 1, 4, 3, 4)).isEqualTo(1);
    assertThat(next(3, 3, 4, 1, 3, 4)).isEqualTo(2);
    assertThat(next(3, 2, 4, 1, 3, 4)).isEqualTo(1);
    assertThat(next(2, 1)).isEqualTo(1);
    assertThat(next(2, 1, 1)).isEqualTo(2); // 1 1 overlaps itself
    assertThat(next(3, 1, 1)).isEqualTo(1);
    assertThat(next(9, 1, 1)).isEqualTo(1);
    assertThat(next(1, 0, 1, 2, 3, 4)).isZero(); // none is left
  }

  private static int next(int ngram, int... text) {
    Sampling greedy = Sampling.greedy(1).withPenalties(1, 0, 0, ngram);
    Sampling drawn = Sampling.greedy(1).withChoice(0.01, 0, 1, 0).withPenalties(1, 0, 0, ngram);
    int id = new Sampler(greedy, 0).choose(LOGITS.clone(), text);
    assertThat(new Sampler(drawn, 0).choose(LOGITS.clone(), text)).isEqualTo(id);
    return id;
  }

  @Test
  void seedFixesTheChoices() {
    Sampler one = new Sampler(sampling(1, 0, 1), 0);
    Sampler same = new Sampler(sampling(1, 0, 1), 0);
    Sampler other = new Sampler(Sampling.greedy(1).withChoice(1, 0, 1, 0).withSeed(6), 0);
    boolean differs = false;
    for (int i = 0; i < 50; i++) {
      int id = one.choose(LOGITS.clone());
      assertThat(same.choose(LOGITS.clone())).isEqualTo(id);
      differs |= other.choose(LOGITS.clone()) != id;
    }
    assertThat(differs).isTrue();
  }

  @Test
  void settingsOutsideTheirRangeAreRefusedByName() {
    assertRefused(() -> Sampling.greedy(0), "max_new_tokens: found 0");
    assertRefused(() -> Sampling.greedy(1).withChoice(-1, 0, 1, 0), "temperature: found -1.0");
    assertRefused(
        () -> Sampling.greedy(1).withChoice(Double.NaN, 0, 1, 0), "temperature: found NaN");
    assertRefused(() -> Sampling.greedy(1).withChoice(1, -1, 1, 0), "top_k: found -1");
    assertRefused(() -> Sampling.greedy(1).withChoice(1, 0, 0, 0), "top_p: found 0.0");
    assertRefused(() -> Sampling.greedy(1).withChoice(1, 0, 1.1, 0), "top_p: found 1.1");
    assertRefused(
        () -> Sampling.greedy(1).withChoice(1, 0, 1, 0).withPenalties(0, 0, 0, 0),
        "repetition_penalty: found 0.0");
    assertRefused(
        () -> Sampling.greedy(1).withChoice(1, 0, 1, 0).withPenalties(1, 0, 0, -1),
        "no_repeat_ngram: found -1");
  }

  private static void assertRefused(Runnable settings, String start) {
    assertThatThrownBy(settings::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(start)
        .hasMessageContaining(", expected ");
  }
}
