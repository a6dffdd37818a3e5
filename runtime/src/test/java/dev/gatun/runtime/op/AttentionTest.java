package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.Philox;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class AttentionTest {
  private static Tensor normal(Scope scope, DType dtype, int seed, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    double[] values = new Random(seed).doubles(elements).map(u -> 3 * (u - 0.5)).toArray();
    return Layout.as(scope, scope.of(values, shape), dtype);
  }

  private static double[] doubles(Tensor tensor) {
    try (Scope scope = TestDevice.open()) {
      return Layout.to(scope, tensor, DType.F64).toDoubles();
    }
  }

  /// DropKey's vector-Jacobian product, papers: on the scores w (u - <w, u>), and 0 on dropped
  /// keys.
  @Test
  void columnMaskGradientIsDropKeysFormula() {
    int tokens = 5;
    PlainAttention plain = new PlainAttention(4, 2, 3, 0.6);
    boolean[] dropped = new boolean[4 * tokens];
    for (int i = 0; i < dropped.length; i++) {
      dropped[i] = i % tokens > 0 && i * 7 % 5 < 2;
    }
    try (Scope scope = TestDevice.open()) {
      Tensor q = normal(scope, DType.F64, 1, tokens, 4, 3);
      Tensor k = normal(scope, DType.F64, 2, tokens, 2, 3);
      Tensor v = normal(scope, DType.F64, 3, tokens, 2, 3);
      Tensor flow = normal(scope, DType.F64, 4, tokens, 4, 3);
      Tensor mask = MatmulCases.mask(scope, dropped, DType.F64, 1, 4, 1, tokens);
      Ragged batch = Ragged.of(scope, 0, tokens);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(q, k, v),
              s ->
                  Reduce.sum(
                      s,
                      Elementwise.mul(
                          s, Attention.attend(s, q, k, v, batch, true, mask, 0.6), flow)));
      PlainAttention.Gradients expected =
          plain.backward(
              q.toDoubles(),
              k.toDoubles(),
              v.toDoubles(),
              tokens,
              (head, query, key) -> key <= query && !dropped[head * tokens + key],
              flow.toDoubles());
      assertClose(doubles(Objects.requireNonNull(found.of(q))), expected.q());
      assertClose(doubles(Objects.requireNonNull(found.of(k))), expected.k());
      assertClose(doubles(Objects.requireNonNull(found.of(v))), expected.v());
    }
  }

  private static void assertClose(double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("element %d", i).isCloseTo(expected[i], within(1e-12));
    }
  }

  /// A key dropped for all heads of a group weighs exactly 0: neither its value nor its key matter,
  /// and both have a gradient of exactly 0.
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aDroppedKeyWeighsExactlyZero(DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor q = normal(scope, dtype, 1, 4, 2, 2);
      Tensor k = normal(scope, dtype, 2, 4, 1, 2);
      Tensor v = normal(scope, dtype, 3, 4, 1, 2);
      Tensor wild = scope.full(1e6, dtype, 1, 1, 2);
      Tensor otherK = replaced(scope, k, wild);
      Tensor otherV = replaced(scope, v, wild);
      boolean[] dropped = {false, false, true, false, false, false, true, false};
      Tensor mask = MatmulCases.mask(scope, dropped, dtype, 1, 2, 1, 4);
      Ragged batch = Ragged.of(scope, 0, 4);
      double[] plain = doubles(Attention.attend(scope, q, k, v, batch, false, mask, 1));
      double[] other = doubles(Attention.attend(scope, q, otherK, otherV, batch, false, mask, 1));
      assertThat(other).containsExactly(plain);

      Gradients gradients =
          Tape.gradients(
              scope,
              List.of(k, v),
              s -> Reduce.sum(s, Attention.attend(s, q, k, v, batch, false, mask, 1)));
      for (Tensor leaf : List.of(k, v)) {
        double[] gradient = doubles(Objects.requireNonNull(gradients.of(leaf)));
        assertThat(Arrays.copyOfRange(gradient, 4, 6)).containsExactly(0, 0);
      }
    }
  }

  private static Tensor replaced(Scope scope, Tensor x, Tensor row) {
    return Layout.cat(
        scope, 0, Layout.narrow(scope, x, 0, 0, 2), row, Layout.narrow(scope, x, 0, 3, 1));
  }

  /// With ones for values an output is the sum of its row's weights: 1, however the keys are
  /// dropped.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void rowsSumToOneWithCausalAndPaddingMasks(int longest) {
    long threshold = Philox.threshold(0.3);
    int[] offsets = {0, longest, longest + 1, longest + 1 + Math.min(2, longest)};
    int tokens = offsets[3];
    for (int seed = 0; seed < 20; seed++) {
      MaskStream stream = new MaskStream(seed, 0, 0, MaskStream.Site.KEY, 0, 0);
      try (Scope scope = TestDevice.open()) {
        float[] mask = new float[3 * 2 * longest];
        for (int line = 0; line < 6; line++) {
          stream.line(
              line / 2,
              line % 2,
              threshold,
              0,
              Float.NEGATIVE_INFINITY,
              mask,
              line * longest,
              longest);
          mask[line * longest] = 0; // position 0 is never dropped under a causal mask
        }
        Tensor q = normal(scope, DType.F32, seed, tokens, 2, 2);
        Tensor k = normal(scope, DType.F32, seed + 1, tokens, 2, 2);
        Tensor ones = scope.full(1, DType.F32, tokens, 2, 2);
        Tensor out =
            Attention.attend(
                scope,
                q,
                k,
                ones,
                Ragged.of(scope, offsets),
                true,
                scope.of(mask, 3, 2, 1, longest),
                0.5);
        for (double sum : doubles(out)) {
          assertThat(sum).isCloseTo(1, within(1e-6));
        }
      }
    }
  }

  /// A query without any key gives 0 and no gradient flows from it.
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void aDeadRowGivesZeroAndZeroGradients(DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor q = normal(scope, dtype, 1, 3, 2, 4);
      Tensor k = normal(scope, dtype, 2, 3, 2, 4);
      Tensor v = normal(scope, dtype, 3, 3, 2, 4);
      boolean[] dropped = {true, true, true, false, true, false};
      Tensor mask = MatmulCases.mask(scope, dropped, DType.F32, 1, 2, 1, 3);
      Ragged batch = Ragged.of(scope, 0, 3);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(q, k, v),
              s -> {
                Tensor out = Attention.attend(s, q, k, v, batch, true, mask, 0.5);
                assertThat(doubles(Layout.narrow(s, out, 1, 0, 1))).containsOnly(0);
                assertThat(doubles(Layout.narrow(s, out, 1, 1, 1))).doesNotContain(0);
                return Reduce.sum(s, out);
              });
      for (Tensor leaf : List.of(q, k, v)) {
        Tensor gradient = Objects.requireNonNull(found.of(leaf));
        assertThat(gradient.dtype()).isEqualTo(dtype);
        assertThat(doubles(Layout.narrow(scope, gradient, 1, 0, 1))).containsOnly(0);
        for (double value : doubles(gradient)) {
          assertThat(value).isFinite();
        }
      }
    }
  }

  /// The same sequences one by one and together give the same.
  @Test
  void aRaggedBatchIsItsSequences() {
    int[] offsets = {0, 3, 4, 9};
    try (Scope scope = TestDevice.open()) {
      Tensor q = normal(scope, DType.F64, 1, 9, 4, 2);
      Tensor k = normal(scope, DType.F64, 2, 9, 2, 2);
      Tensor v = normal(scope, DType.F64, 3, 9, 2, 2);
      double[] together =
          doubles(Attention.attend(scope, q, k, v, Ragged.of(scope, offsets), true, null, 1));
      for (int i = 0; i < 3; i++) {
        int start = offsets[i];
        int length = offsets[i + 1] - start;
        Tensor alone =
            Attention.attend(
                scope,
                Layout.narrow(scope, q, 0, start, length),
                Layout.narrow(scope, k, 0, start, length),
                Layout.narrow(scope, v, 0, start, length),
                Ragged.of(scope, 0, length),
                true,
                null,
                1);
        assertClose(doubles(alone), Arrays.copyOfRange(together, start * 8, (start + length) * 8));
      }
    }
  }

  @Test
  void raggedTellsItsSequences() {
    try (Scope scope = TestDevice.open()) {
      Ragged batch = Ragged.of(scope, 0, 3, 4, 9);
      assertThat(batch.sequences()).isEqualTo(3);
      assertThat(batch.tokens()).isEqualTo(9);
      assertThat(batch.longest()).isEqualTo(5);
      assertThat(batch.isUniform()).isFalse();
      assertThat(batch.length(2)).isEqualTo(5);
      assertThat(batch.start(2)).isEqualTo(4);
      assertThat(Ragged.of(scope, 0, 2, 4).isUniform()).isTrue();
    }
  }

  @Test
  void rowsArePaddedWithZerosAndBack() {
    try (Scope scope = TestDevice.open()) {
      Ragged batch = Ragged.of(scope, 0, 1, 4);
      Tensor x = scope.of(new double[] {1, 2, 3, 4}, 4, 1);
      Tensor factors = scope.of(new double[] {10, 20, 30, 40, 50, 60}, 6, 1);
      assertThat(doubles(batch.padRows(scope, x))).containsExactly(1, 0, 0, 2, 3, 4);
      assertThat(doubles(batch.unpadRows(scope, factors))).containsExactly(10, 40, 50, 60);
      Gradients padded =
          Tape.gradients(
              scope,
              List.of(x, factors),
              s -> {
                Tensor product = Elementwise.mul(s, batch.padRows(s, x), factors);
                return Reduce.sum(s, Elementwise.mul(s, batch.unpadRows(s, product), x));
              });
      // the sum of x² times the factor of its place
      assertThat(doubles(Objects.requireNonNull(padded.of(x)))).containsExactly(20, 160, 300, 480);
      assertThat(doubles(Objects.requireNonNull(padded.of(factors))))
          .containsExactly(1, 0, 0, 4, 9, 16);
      Ragged equal = Ragged.of(scope, 0, 2, 4);
      assertThat(equal.padRows(scope, x)).isSameAs(x);
      assertThat(equal.unpadRows(scope, x)).isSameAs(x);
    }
  }

  /// bf16 and f16 stay within their rounding of the same in f64.
  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void narrowTypesStayNear(DType dtype) {
    double bound = dtype == DType.BF16 ? 2e-2 : 3e-3;
    try (Scope scope = TestDevice.open()) {
      Tensor q = normal(scope, dtype, 1, 6, 2, 4);
      Tensor k = normal(scope, dtype, 2, 6, 1, 4);
      Tensor v = normal(scope, dtype, 3, 6, 1, 4);
      Ragged batch = Ragged.of(scope, 0, 2, 6);
      Tensor narrow = Attention.attend(scope, q, k, v, batch, true, null, 0.5);
      Tensor wide =
          Attention.attend(
              scope,
              Layout.to(scope, q, DType.F64),
              Layout.to(scope, k, DType.F64),
              Layout.to(scope, v, DType.F64),
              batch,
              true,
              null,
              0.5);
      assertThat(narrow.dtype()).isEqualTo(dtype);
      assertThat(doubles(narrow)).containsExactly(doubles(wide), within(bound));
    }
  }
}
