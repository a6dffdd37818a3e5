package dev.gatun.models.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.Parity;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits over a cache that is filled in pieces, against one pass over the whole sequence.
class KvCacheTest {
  private static final int[] IDS = {9, 33, 71, 8, 64, 12, 90, 5, 41, 17, 3, 55, 23, 80};

  private static KvCache cache(Scope scope, CausalLm model, int capacity) {
    return KvCache.of(
        scope, model.layers(), model.keyHeads(), model.headDim(), model.computeType(), capacity);
  }

  private static Tensor logits(Scope scope, CausalLm model, KvCache cache, int from, int to) {
    int[] ids = Arrays.copyOfRange(IDS, from, to);
    ForwardPass pass = ForwardPass.of(scope, model, ids, 0, ids.length).cache(cache).build();
    return model.logits(scope, model.hidden(scope, pass, false), pass);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama3", "llama-bias", "mistral", "qwen2", "qwen3"})
  void piecesEqualTheWhole(String name) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name)).open(DType.F64, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.open()) {
      double[] whole = Parity.logits(scope, model, PassAddition.NONE, IDS).toDoubles();
      int width = model.vocabulary();
      for (int[] cuts : new int[][] {{0, 14}, {0, 5, 6, 7, 14}, {0, 1, 9, 13, 14}}) {
        KvCache cache = cache(scope, model, IDS.length);
        for (int i = 0; i + 1 < cuts.length; i++) {
          double[] piece = logits(scope, model, cache, cuts[i], cuts[i + 1]).toDoubles();
          double[] expected = Arrays.copyOfRange(whole, cuts[i] * width, cuts[i + 1] * width);
          assertThat(Parity.distance(piece, expected)).as("from %d", cuts[i]).isLessThan(1e-12);
        }
        assertThat(cache.length()).isEqualTo(IDS.length);
      }
    }
  }

  @Test
  void fullCacheRefusesMore() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama")).open(DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.open()) {
      KvCache cache = cache(scope, model, 4);
      logits(scope, model, cache, 0, 3);
      assertThat(cache.capacity()).isEqualTo(4);
      assertThatThrownBy(() -> logits(scope, model, cache, 3, 5))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("3 + 2 tokens")
          .hasMessageContaining("at most 4");
    }
  }

  @Test
  void sequenceBeyondThePositionsIsRefused() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("gpt2")).open(DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.open()) {
      assertThatThrownBy(() -> ForwardPass.of(scope, model, new int[49], 0, 49).build())
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("gpt2")
          .hasMessageContaining("49")
          .hasMessageContaining("48");
      ForwardPass.Builder fits = ForwardPass.of(scope, model, new int[90], 0, 48, 90);
      assertThat(fits.build().batch().longest()).isEqualTo(48);
    }
  }
}
