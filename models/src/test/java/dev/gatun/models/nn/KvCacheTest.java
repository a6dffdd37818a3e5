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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits over a cache that is filled in pieces, against one pass over the whole sequence.
class KvCacheTest {
  private static final int[] IDS = {
    9, 33, 71, 8, 64, 12, 90, 5, 41, 17, 3, 55, 23, 80, 2, 61, 7, 19, 88, 30
  };

  private static Tensor logits(
      Scope scope, CausalLm model, KvCache.Sequence sequence, int from, int to) {
    int[] ids = Arrays.copyOfRange(IDS, from, to);
    ForwardPass pass =
        ForwardPass.of(scope, model, ids, 0, ids.length).cache(List.of(sequence)).build();
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
      KvCache cache = KvCache.of(scope, model, KvCache.pages(IDS.length));
      for (int[] cuts : new int[][] {{0, 20}, {0, 5, 6, 7, 20}, {0, 1, 16, 19, 20}, {0, 17, 20}}) {
        try (KvCache.Sequence sequence = cache.open()) {
          for (int i = 0; i + 1 < cuts.length; i++) {
            double[] piece = logits(scope, model, sequence, cuts[i], cuts[i + 1]).toDoubles();
            double[] expected = Arrays.copyOfRange(whole, cuts[i] * width, cuts[i + 1] * width);
            assertThat(Parity.distance(piece, expected)).as("from %d", cuts[i]).isLessThan(1e-12);
          }
          assertThat(sequence.length()).isEqualTo(IDS.length);
        }
        assertThat(cache.free()).isEqualTo(cache.capacity());
      }
    }
  }

  /// Sequences of different pasts and different numbers of new tokens in one pass.
  @ParameterizedTest
  @CsvSource({"gpt2, F64, 1e-12", "mistral, F64, 1e-12", "llama, F32, 1e-5", "qwen3, F32, 1e-5"})
  void sequencesOfOnePassEqualEachAlone(String name, DType dtype, double bound) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, dtype, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 12);
      int[] past = {0, 3, 19, 0, 17, 4};
      int[] fresh = {20, 1, 1, 2, 3, 12};
      List<KvCache.Sequence> sequences = new ArrayList<>();
      int[] offsets = new int[past.length + 1];
      int[] ids = new int[IntStream.of(fresh).sum()];
      for (int i = 0; i < past.length; i++) {
        KvCache.Sequence sequence = cache.open();
        if (past[i] > 0) {
          logits(scope, model, sequence, 0, past[i]);
        }
        sequences.add(sequence);
        System.arraycopy(IDS, past[i], ids, offsets[i], fresh[i]);
        offsets[i + 1] = offsets[i] + fresh[i];
      }
      ForwardPass pass = ForwardPass.of(scope, model, ids, offsets).cache(sequences).build();
      double[] found = Parity.doubles(model.logits(scope, model.hidden(scope, pass, false), pass));
      double[] whole = Parity.doubles(Parity.logits(scope, model, PassAddition.NONE, IDS));
      int width = model.vocabulary();
      for (int i = 0; i < past.length; i++) {
        assertThat(
                Parity.distance(
                    Arrays.copyOfRange(found, offsets[i] * width, offsets[i + 1] * width),
                    Arrays.copyOfRange(whole, past[i] * width, (past[i] + fresh[i]) * width)))
            .as("sequence %d", i)
            .isLessThan(bound);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 16, 18})
  void forkedSequencesGoOnAlone(int common) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama3"))
                .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 8);
      KvCache.Sequence first = cache.open();
      logits(scope, model, first, 0, common);
      List<KvCache.Sequence> all = List.of(first, first.fork(scope), first.fork(scope));
      assertThat(cache.capacity() - cache.free())
          .isEqualTo(common / KvCache.PAGE + (common % KvCache.PAGE > 0 ? 3 : 0));
      int[][] more = {{11, 44}, {22, 55}, {33, 66}};
      double[][] found = new double[3][];
      for (int step = 0; step < 2; step++) {
        int at = step;
        int[] ids = Arrays.stream(more).mapToInt(each -> each[at]).toArray();
        ForwardPass pass = ForwardPass.of(scope, model, ids, 0, 1, 2, 3).cache(all).build();
        double[] rows = model.logits(scope, model.hidden(scope, pass, false), pass).toDoubles();
        for (int i = 0; i < 3; i++) {
          found[i] = Arrays.copyOfRange(rows, i * model.vocabulary(), (i + 1) * model.vocabulary());
        }
      }
      for (int i = 0; i < 3; i++) {
        int[] text = Arrays.copyOf(IDS, common + 2);
        text[common] = more[i][0];
        text[common + 1] = more[i][1];
        double[] whole = Parity.logits(scope, model, PassAddition.NONE, text).toDoubles();
        double[] expected =
            Arrays.copyOfRange(whole, (common + 1) * model.vocabulary(), whole.length);
        assertThat(Parity.distance(found[i], expected)).isLessThan(1e-12);
      }
      all.forEach(KvCache.Sequence::close);
      assertThat(cache.free()).isEqualTo(8);
    }
  }

  @Test
  void sharedPagesAreFreedByTheLastHolder() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F64, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 4);
      KvCache.Sequence first = cache.open();
      logits(scope, model, first, 0, 17);
      int page = first.pages()[0];
      KvCache.Sequence second = cache.open(page);
      assertThat(second.length()).isEqualTo(16);
      first.close();
      first.close();
      assertThat(cache.holders(page)).isEqualTo(1);
      assertThat(cache.free()).isEqualTo(3);
      double[] found = logits(scope, model, second, 16, 20).toDoubles();
      double[] whole = Parity.logits(scope, model, PassAddition.NONE, IDS).toDoubles();
      assertThat(
              Parity.distance(
                  found, Arrays.copyOfRange(whole, 16 * model.vocabulary(), whole.length)))
          .isLessThan(1e-12);
      second.close();
      assertThat(cache.free()).isEqualTo(4);
      assertThatThrownBy(() -> cache.release(page)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> second.reserve(1)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void sequencesThatAreNotTheBatchsAreRefused() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 2);
      KvCache.Sequence one = cache.open();
      assertThatThrownBy(
              () -> ForwardPass.of(scope, model, new int[2], 0, 1, 2).cache(List.of(one)).build())
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found 2 sequences in the batch, expected 1");
      KvCache.Sequence foreign = KvCache.of(scope, model, 2).open();
      assertThatThrownBy(() ->
              ForwardPass.of(scope, model, new int[2], 0, 1, 2)
                  .cache(List.of(one, foreign))
                  .build())
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("another cache");
    }
  }

  @Test
  void fullCacheRefusesMore() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      KvCache cache = KvCache.of(scope, model, 1);
      KvCache.Sequence sequence = cache.open();
      logits(scope, model, sequence, 0, 15);
      assertThatThrownBy(() -> logits(scope, model, sequence, 15, 17))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("15 + 2 tokens")
          .hasMessageContaining("at most the 0");
      assertThat(sequence.length()).isEqualTo(15);
      assertThatThrownBy(() -> sequence.fork(scope)).isInstanceOf(ShapeException.class);
      logits(scope, model, sequence, 15, 16);
      sequence.close();
      assertThat(cache.free()).isEqualTo(1);
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
