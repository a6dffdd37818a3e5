package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Both kernels of attention give the same results and gradients, in f64, where both compute.
@ExtendWith(LeakCheck.class)
class ProductAttentionTest {
  private static final long D = 6;

  private static Tensor normal(Scope scope, int seed, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return scope.of(new Random(seed).doubles(elements).map(u -> 4 * (u - 0.5)).toArray(), shape);
  }

  /// Drops keys at random, the first one now and then: some queries of a causal row see no key.
  private static @Nullable Tensor mask(Scope scope, String kind, long... full) {
    if (kind.equals("none")) {
      return null;
    }
    long[] shape = full.clone();
    if (kind.equals("columns")) {
      shape[2] = 1;
    } else {
      shape[0] = 1;
      shape[1] = 1;
    }
    long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return scope.of(
        new Random(9).doubles(elements).map(u -> u < 0.3 ? Double.NEGATIVE_INFINITY : 0).toArray(),
        shape);
  }

  @ParameterizedTest
  @CsvSource({
    // sequences, query heads, key heads, queries, keys, causal, mask, elements of a block
    "2, 3, 3,  5,  5, true,  none,    1000000",
    "2, 4, 2,  5,  5, true,  columns, 1000000",
    "1, 4, 1, 70, 70, true,  none,    1",
    "2, 4, 2, 70, 70, true,  columns, 1",
    "2, 4, 2, 70, 70, true,  square,  1",
    "1, 2, 1, 70, 70, false, none,    1",
    "2, 4, 4, 70, 70, false, columns, 1",
    "1, 2, 2, 33, 33, false, square,  1000000",
    "1, 4, 2,  1, 17, false, none,    1000000",
  })
  void equalsTheFlashKernel(
      long b,
      long heads,
      long keyHeads,
      long queries,
      long keys,
      boolean causal,
      String kind,
      long elements) {
    assumeThat(TestDevice.DEVICE).as("beside the host's flash kernel").isEqualTo(Device.CPU);
    try (Scope scope = Scope.open()) {
      // as strided views, the way a fused projection gives them
      Tensor q = Layout.transpose(scope, normal(scope, 1, b, queries, heads, D), 1, 2);
      Tensor k = Layout.transpose(scope, normal(scope, 2, b, keys, keyHeads, D), 1, 2);
      Tensor v = Layout.transpose(scope, normal(scope, 3, b, keys, keyHeads, D), 1, 2);
      Tensor flow = Layout.transpose(scope, normal(scope, 4, b, queries, heads, D), 1, 2);
      Tensor mask = mask(scope, kind, b, heads, queries, keys);
      Attention.Rule rule = new Attention.Rule(causal, mask, 0.7);
      Attention.Kernel flash = new FlashAttention();
      Attention.Kernel products = new ProductAttention(elements);
      Attention.Attended expected = flash.forward(scope, q, k, v, rule, true);
      Attention.Attended found = products.forward(scope, q, k, v, rule, true);
      assertClose(scope, found.output(), expected.output());
      Tensor[] gradients = products.backward(scope, flow, found.saved(), rule);
      @Nullable Tensor[] wanted = flash.backward(scope, flow, expected.saved(), rule);
      for (int i = 0; i < 3; i++) {
        assertClose(scope, gradients[i], Objects.requireNonNull(wanted[i]));
      }
      assertThat(products.forward(scope, q, k, v, rule, false).saved()).isEmpty();
    }
  }

  private static void assertClose(Scope scope, Tensor found, Tensor expected) {
    assertThat(found.shape()).containsExactly(expected.shape());
    assertThat(Layout.to(scope, found, DType.F64).toDoubles())
        .containsExactly(Layout.to(scope, expected, DType.F64).toDoubles(), within(1e-12));
  }
}
