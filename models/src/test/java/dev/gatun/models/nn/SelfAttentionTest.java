package dev.gatun.models.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Attention over a cache against attention over the whole sequence, where a band mask keeps to the
/// window; heads are of a size that the kernels take.
class SelfAttentionTest {
  private static final int HEADS = 4;
  private static final int GROUPS = 2;
  private static final int SIZE = 16;
  private static final int TOKENS = 14;

  private static Tensor random(Scope scope, DType dtype, int seed, int heads) {
    double[] values =
        new Random(seed).doubles((long) TOKENS * heads * SIZE, -1, 1).map(x -> 2 * x).toArray();
    return Layout.to(scope, scope.of(values, TOKENS, heads, SIZE), dtype);
  }

  @ParameterizedTest
  @CsvSource({
    "F32, 0, 1e-6",
    "F32, 1, 1e-6",
    "F32, 5, 1e-6",
    "F32, 13, 1e-6",
    "F32, 14, 1e-6",
    "F64, 1, 1e-12",
    "F64, 5, 1e-12",
    "BF16, 0, 1e-2",
    "BF16, 5, 1e-2"
  })
  void cacheKeepsToTheWindow(DType dtype, int window, double bound) throws IOException {
    SelfAttention attention = new SelfAttention(HEADS, window, 0.25);
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, dtype, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      Tensor q = random(scope, dtype, 1, HEADS);
      Tensor k = random(scope, dtype, 2, GROUPS);
      Tensor v = random(scope, dtype, 3, GROUPS);
      int[] ids = new int[TOKENS];
      ForwardPass whole = ForwardPass.of(scope, model, ids, 0, TOKENS).build();
      double[] expected = Parity.doubles(attention.attend(scope, 0, q, k, v, whole));
      int row = HEADS * SIZE;
      for (int[] cuts :
          new int[][] {{0, 4, 5, 6, 7, 8, 14}, {0, 1, 2, 9, 10, 11, 12, 13, 14}, {0, 11, 14}}) {
        KvCache cache = KvCache.of(scope, 1, dtype, 1, GROUPS, SIZE);
        KvCache.Sequence sequence = cache.open();
        for (int i = 0; i + 1 < cuts.length; i++) {
          int from = cuts[i];
          int count = cuts[i + 1] - from;
          ForwardPass pass =
              ForwardPass.of(scope, model, new int[count], 0, count)
                  .cache(List.of(sequence))
                  .build();
          Tensor found =
              attention.attend(
                  scope,
                  0,
                  Layout.narrow(scope, q, 0, from, count),
                  Layout.narrow(scope, k, 0, from, count),
                  Layout.narrow(scope, v, 0, from, count),
                  pass);
          sequence.advance(count);
          assertThat(
                  Parity.distance(
                      Parity.doubles(found),
                      Arrays.copyOfRange(expected, from * row, (from + count) * row)))
              .as("%d from %d", count, from)
              .isLessThan(bound);
        }
      }
    }
  }
}
