package dev.gatun.runtime.op;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.op.Attention.Rescaling;
import dev.gatun.runtime.op.Attention.WeightFactors;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// DropAttention beside DropKey, as the HiddenKey paper (arXiv:2403.00812, section 3) relates them.
@ExtendWith(LeakCheck.class)
class WeightedAttentionTest {
  private static final int T = 6;
  private static final double RATE = 0.3;

  private static double[] normal(long seed, int count) {
    Random random = new Random(seed);
    return random.doubles(count).map(u -> 3 * u - 1.5).toArray();
  }

  private static double[] unit() {
    double[] values = new double[T * T];
    for (int i = 0; i < T; i++) {
      values[i * (T + 1)] = 1;
    }
    return values;
  }

  /// Whether keys stay, by query; the first always does.
  private static boolean[] kept(boolean elements) {
    Random random = new Random(5);
    boolean[] kept = new boolean[T * T];
    for (int i = 0; i < T * T; i++) {
      kept[i] = i % T == 0 || (elements || i < T ? random.nextDouble() >= RATE : kept[i - T]);
    }
    return kept;
  }

  private static Tensor factors(Scope s, boolean[] kept, double factor) {
    double[] values = new double[T * T];
    for (int i = 0; i < values.length; i++) {
      values[i] = kept[i] ? factor : 0;
    }
    return s.of(values, 1, 1, T, T);
  }

  private static Tensor mask(Scope s, boolean[] kept) {
    double[] values = new double[T * T];
    for (int i = 0; i < values.length; i++) {
      values[i] = kept[i] ? 0 : Double.NEGATIVE_INFINITY;
    }
    return s.of(values, 1, 1, T, T);
  }

  /// What comes out and the gradient to q, where keys and values are unit matrices: then q are the
  /// scores and the output is the weights.
  private record Result(double[] weights, double[] gradient) {
    static Result of(boolean causal, @Nullable Rescaling rescaling, boolean[] kept, double factor) {
      try (Scope owner = TestDevice.open()) {
        Tensor q = owner.of(normal(1, T * T), T, 1, T);
        Tensor k = owner.of(unit(), T, 1, T);
        Tensor flow = owner.of(normal(2, T * T), T, 1, T);
        double[][] out = new double[1][];
        Gradients gradients =
            Tape.gradients(
                owner,
                List.of(q),
                s -> {
                  Ragged batch = Ragged.of(s, 0, T);
                  Tensor result =
                      rescaling == null
                          ? Attention.attend(s, q, k, k, batch, causal, mask(s, kept), 1)
                          : Attention.attend(
                              s,
                              q,
                              k,
                              k,
                              batch,
                              causal,
                              null,
                              1,
                              new WeightFactors(factors(s, kept, factor), rescaling));
                  out[0] = result.toDoubles();
                  return Reduce.sum(s, Elementwise.mul(s, result, flow));
                });
        return new Result(out[0], requireNonNull(gradients.of(q)).toDoubles());
      }
    }
  }

  /// The gradient of the scores by hand, from the weights w before and w' after dropping.
  private static double[] byHand(
      boolean causal, boolean[] kept, BiFunction<double[], double[], double[]> rule) {
    double[] scores = normal(1, T * T);
    double[] flow = normal(2, T * T);
    double[] all = new double[T * T];
    for (int t = 0; t < T; t++) {
      int end = causal ? t + 1 : T;
      double[] w = new double[T];
      double sum = 0;
      for (int s = 0; s < end; s++) {
        w[s] = Math.exp(scores[t * T + s]);
        sum += w[s];
      }
      double left = 0;
      for (int s = 0; s < T; s++) {
        w[s] /= sum;
        left += kept[t * T + s] ? w[s] : 0;
      }
      double[] last = new double[T];
      for (int s = 0; s < T; s++) {
        last[s] = kept[t * T + s] ? w[s] / left : 0;
      }
      double mean = 0;
      for (int s = 0; s < T; s++) {
        mean += last[s] * flow[t * T + s];
      }
      double[] under = rule.apply(w, last);
      for (int s = 0; s < T; s++) {
        all[t * T + s] = last[s] * flow[t * T + s] - under[s] * mean;
      }
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void bothDropTheSameWeights(boolean elements) {
    boolean[] kept = kept(elements);
    for (boolean causal : new boolean[] {true, false}) {
      Result dropKey = Result.of(causal, null, kept, 1);
      for (Rescaling rescaling :
          new Rescaling[] {Rescaling.NORMALISED, Rescaling.NORMALISED_CONSTANT}) {
        Result dropAttention = Result.of(causal, rescaling, kept, 1);
        assertThat(dropAttention.weights).containsExactly(dropKey.weights, within(1e-14));
      }
      for (int t = 0; t < T; t++) {
        double sum = Arrays.stream(dropKey.weights, t * T, (t + 1) * T).sum();
        assertThat(sum).isCloseTo(1, within(1e-14));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void gradientsAreThePapers(boolean causal) {
    boolean[] kept = kept(true);
    double[] dropKey = byHand(causal, kept, (w, last) -> last);
    double[] constant = byHand(causal, kept, (w, last) -> w);
    assertThat(Result.of(causal, null, kept, 1).gradient).containsExactly(dropKey, within(1e-13));
    assertThat(Result.of(causal, Rescaling.NORMALISED, kept, 1).gradient)
        .containsExactly(dropKey, within(1e-13));
    double[] found = Result.of(causal, Rescaling.NORMALISED_CONSTANT, kept, 1).gradient;
    assertThat(found).containsExactly(constant, within(1e-13));
    for (int i = 0; i < T * T; i++) {
      boolean visible = !causal || i % T <= i / T;
      if (!kept[i] && visible) {
        assertThat(dropKey[i]).isZero();
        assertThat(found[i]).isNotZero();
      }
    }
  }

  /// Where the scores are given, weights and gradients are those of attention with such scores.
  @ParameterizedTest
  @EnumSource(Rescaling.class)
  void weightsOfScoresAreThoseOfAttention(Rescaling rescaling) {
    boolean[] kept = kept(true);
    Result expected = Result.of(false, rescaling, kept, 1.25);
    try (Scope owner = Scope.open()) {
      Tensor scores = owner.of(normal(1, T * T), 1, 1, T, T);
      Tensor flow = owner.of(normal(2, T * T), 1, 1, T, T);
      Gradients gradients =
          Tape.gradients(
              owner,
              List.of(scores),
              s -> {
                WeightFactors factors = new WeightFactors(factors(s, kept, 1.25), rescaling);
                Tensor weights = Attention.weights(s, scores, factors);
                assertThat(weights.toDoubles()).containsExactly(expected.weights, within(1e-14));
                return Reduce.sum(s, Elementwise.mul(s, weights, flow));
              });
      assertThat(requireNonNull(gradients.of(scores)).toDoubles())
          .containsExactly(expected.gradient, within(1e-14));
    }
  }

  /// One query of three keys, the last dropped: the ratio of the gradients, k of equation 10, is
  /// below 1 and falls as the dropped score grows.
  @Test
  void droppingAnImportantKeyDampsDropKeysGradient() {
    double last = 1;
    for (double dropped : new double[] {-2, 0, 2, 4}) {
      double[] e = {Math.exp(0.3), Math.exp(-0.4), Math.exp(dropped)};
      double ratio = (1 - e[0] / (e[0] + e[1])) / (1 - e[0] / (e[0] + e[1] + e[2]));
      double found = ratioOfGradients(dropped);
      assertThat(found).isCloseTo(ratio, within(1e-12));
      assertThat(found).isLessThan(last);
      last = found;
    }
  }

  private static double ratioOfGradients(double dropped) {
    try (Scope owner = TestDevice.open()) {
      Tensor q = owner.of(new double[] {0.3, -0.4, dropped, 0, 0, 0, 0, 0, 0}, 3, 1, 3);
      Tensor k = owner.of(new double[] {1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 1, 3);
      Tensor first = owner.of(new double[] {1, 0, 0, 0, 0, 0, 0, 0, 0}, 3, 1, 3);
      Tensor m = owner.of(new double[] {1, 1, 0}, 1, 1, 1, 3);
      double[] both = new double[2];
      for (int i = 0; i < 2; i++) {
        Rescaling rescaling = i == 0 ? Rescaling.NORMALISED : Rescaling.NORMALISED_CONSTANT;
        Gradients gradients =
            Tape.gradients(
                owner,
                List.of(q),
                s ->
                    Reduce.sum(
                        s,
                        Elementwise.mul(
                            s,
                            Attention.attend(
                                s,
                                q,
                                k,
                                k,
                                Ragged.of(s, 0, 3),
                                false,
                                null,
                                1,
                                new WeightFactors(m, rescaling)),
                            first)));
        both[i] = requireNonNull(gradients.of(q)).toDoubles()[0];
      }
      return both[0] / both[1];
    }
  }

  /// Ragged sequences, shared key heads, a mask of columns: no other way gives the reference, so
  /// each sequence alone does.
  @ParameterizedTest
  @EnumSource(Rescaling.class)
  void sequencesOfABatchAreThoseAlone(Rescaling rescaling) {
    int[] offsets = {0, 4, 6};
    try (Scope s = TestDevice.open()) {
      Tensor q = s.of(normal(1, 6 * 4 * 3), 6, 4, 3);
      Tensor k = s.of(normal(2, 6 * 2 * 3), 6, 2, 3);
      Tensor v = s.of(normal(3, 6 * 2 * 3), 6, 2, 3);
      double[] m = new double[2 * 4 * 4];
      for (int i = 0; i < m.length; i++) {
        m[i] = i % 4 == 0 || i % 3 == 0 ? 1.25 : 0;
      }
      Tensor factors = s.of(m, 2, 4, 1, 4);
      double[] all =
          Attention.attend(
                  s,
                  q,
                  k,
                  v,
                  Ragged.of(s, offsets),
                  true,
                  null,
                  0.5,
                  new WeightFactors(factors, rescaling))
              .toDoubles();
      for (int i = 0; i < 2; i++) {
        int start = offsets[i];
        int length = offsets[i + 1] - start;
        Tensor own = Layout.narrow(s, Layout.narrow(s, factors, 0, i, 1), 3, 0, length);
        double[] alone =
            Attention.attend(
                    s,
                    Layout.narrow(s, q, 0, start, length),
                    Layout.narrow(s, k, 0, start, length),
                    Layout.narrow(s, v, 0, start, length),
                    Ragged.of(s, 0, length),
                    true,
                    null,
                    0.5,
                    new WeightFactors(own, rescaling))
                .toDoubles();
        assertThat(Arrays.copyOfRange(all, start * 12, (start + length) * 12))
            .containsExactly(alone, within(1e-14));
      }
    }
  }

  @Test
  void aQueryWithoutWeightsGivesZeroAndNarrowTypesAreComputedInF32() {
    try (Scope s = TestDevice.open()) {
      Tensor q = Layout.to(s, s.of(normal(1, 12), 2, 2, 3), DType.BF16);
      Tensor none = s.zeros(DType.F32, 1, 2, 1, 2);
      Tensor out =
          Attention.attend(
              s,
              q,
              q,
              q,
              Ragged.of(s, 0, 2),
              true,
              null,
              1,
              new WeightFactors(none, Rescaling.NORMALISED));
      assertThat(out.dtype()).isEqualTo(DType.BF16);
      assertThat(Layout.to(s, out, DType.F32).toFloats()).containsOnly(0);
    }
  }
}
