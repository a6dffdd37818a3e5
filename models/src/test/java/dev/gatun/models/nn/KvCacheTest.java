package dev.gatun.models.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
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

  private static Tensor logits(Scope scope, CausalLm model, KvCache cache, int from, int to) {
    int[] ids = Arrays.copyOfRange(IDS, from, to);
    ForwardPass pass = ForwardPass.of(scope, model, ids, 0, ids.length).cache(cache).build();
    return model.logits(scope, model.hidden(scope, pass, false), pass);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama3", "llama-bias", "mistral", "qwen2", "qwen3"})
  void piecesEqualTheWhole(String name) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      double[] whole = Parity.logits(scope, model, PassAddition.NONE, IDS).toDoubles();
      int width = model.vocabulary();
      for (int[] cuts : new int[][] {{0, 14}, {0, 5, 6, 7, 14}, {0, 1, 9, 13, 14}}) {
        KvCache cache = KvCache.of(scope, model, 1, IDS.length);
        for (int i = 0; i + 1 < cuts.length; i++) {
          double[] piece = logits(scope, model, cache, cuts[i], cuts[i + 1]).toDoubles();
          double[] expected = Arrays.copyOfRange(whole, cuts[i] * width, cuts[i + 1] * width);
          assertThat(Parity.distance(piece, expected)).as("from %d", cuts[i]).isLessThan(1e-12);
        }
        assertThat(cache.length()).isEqualTo(IDS.length);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama3", "mistral"})
  void eachSequenceOfAReorderedCacheEqualsTheWhole(String name) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 3, IDS.length);
      int[][] texts = {IDS.clone(), IDS.clone(), IDS.clone()};
      logits(scope, model, cache, 0, 5);
      cache.reorder(scope, 0, 0, 0);
      assertThat(cache.sequences()).isEqualTo(3);
      step(scope, model, cache, texts, 5, 11, 22, 33);
      cache.reorder(scope, 2, 0, 2); // 33, 11, 33
      texts = new int[][] {texts[2].clone(), texts[0].clone(), texts[2].clone()};
      step(scope, model, cache, texts, 6, 44, 55, 66);
      cache.reorder(scope, 1, 2);
      texts = new int[][] {texts[1], texts[2]};
      double[][] found = step(scope, model, cache, texts, 7, 77, 88);
      for (int i = 0; i < 2; i++) {
        int[] text = Arrays.copyOf(texts[i], 8);
        double[] whole = Parity.logits(scope, model, PassAddition.NONE, text).toDoubles();
        double[] expected = Arrays.copyOfRange(whole, 7 * model.vocabulary(), whole.length);
        assertThat(Parity.distance(found[i], expected)).isLessThan(1e-12);
      }
    }
  }

  /// Gives each sequence one more id and returns the logits behind it.
  private static double[][] step(
      Scope scope, CausalLm model, KvCache cache, int[][] texts, int at, int... ids) {
    int[] offsets = new int[ids.length + 1];
    for (int i = 0; i < ids.length; i++) {
      texts[i][at] = ids[i];
      offsets[i + 1] = i + 1;
    }
    ForwardPass pass = ForwardPass.of(scope, model, ids, offsets).cache(cache).build();
    double[] all = model.logits(scope, model.hidden(scope, pass, false), pass).toDoubles();
    int width = model.vocabulary();
    double[][] rows = new double[ids.length][];
    for (int i = 0; i < ids.length; i++) {
      rows[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    }
    return rows;
  }

  @Test
  void sequencesThatAreNotTheCachesAreRefused() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 2, 4);
      assertThatThrownBy(() -> cache.reorder(scope, 0, 0, 0))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found 3 sequences, expected 1 to 2");
      assertThatThrownBy(() -> cache.reorder(scope, 0, 1))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found sequence 1, expected 0 to 0");
      assertThatThrownBy(
              () -> ForwardPass.of(scope, model, new int[2], 0, 1, 2).cache(cache).build())
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found 2 sequences")
          .hasMessageContaining("expected 1 of one length");
      cache.reorder(scope, 0, 0);
      assertThatThrownBy(
              () -> ForwardPass.of(scope, model, new int[3], 0, 1, 3).cache(cache).build())
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("of up to 2 tokens");
    }
  }

  @Test
  void fullCacheRefusesMore() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 1, 4);
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
            ModelDirectory.read(Parity.model("gpt2"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
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
