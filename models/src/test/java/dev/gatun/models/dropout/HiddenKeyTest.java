package dev.gatun.models.dropout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Loss;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values and identities of the HiddenKey loss over whole models.
class HiddenKeyTest {
  private static final long SEED = 7;

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  private static Loss.Value value(AdaptedModel adapted, Dropout dropout, Batch batch, int step) {
    try (Scope scope = TestDevice.open()) {
      return adapted.loss(dropout, SEED, false).of(scope, batch, step, 1);
    }
  }

  private static Batch batch(String model) throws IOException {
    return Batch.of(Parity.examples(model), 0);
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,1",
    "gpt2,2",
    "gpt2,3",
    "gpt2,4",
    "gpt2,20",
    "mistral,1",
    "mistral,4",
    "mistral,20",
    "llama3,3"
  })
  void noValueIsEverNaN(String name, int length) throws IOException {
    Dropout everywhere = Dropout.hiddenKey(0.3, 0.3, 1).withLayers(Dropout.Layers.ALL);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F32)) {
      for (int row = 0; row < 6; row++) {
        int[] ids = new int[length];
        for (int i = 0; i < length; i++) {
          ids[i] = (5 + 31 * i + 17 * row) % 96;
        }
        Example other = new Example(1, 1, new int[] {5, 9}, null);
        Batch batch = Batch.of(List.of(new Example(0, 0, ids, null), other), row * 2);
        LanguageModelLoss loss = adapted.loss(everywhere, SEED, false);
        Map<String, double[]> gradients =
            adapted.gradients(scope -> loss.of(scope, batch, 6, 1).total());
        gradients.forEach((key, gradient) -> {
          for (double each : gradient) {
            assertThat(each).as(key).isFinite();
          }
        });
      }
    }
  }

  /// In a window of six keys a rate of 0.9 leaves queries without any key.
  @Test
  void queryWithoutKeysGivesNumbers() throws IOException {
    Dropout dense = Dropout.dropKey(0.9).withLayers(Dropout.Layers.ALL);
    try (AdaptedModel adapted = AdaptedModel.open("mistral", DType.F32)) {
      LanguageModelLoss loss = adapted.loss(dense, SEED, false);
      Batch batch = batch("mistral");
      adapted
          .gradients(scope -> loss.of(scope, batch, 0, 1).total())
          .forEach((key, gradient) -> {
            for (double each : gradient) {
              assertThat(each).as(key).isFinite();
            }
          });
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "mistral", "qwen3"})
  void ratesOfZeroArePlainLoraBitForBit(String name) throws IOException {
    Batch batch = batch(name);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F32)) {
      LanguageModelLoss plain = adapted.loss(Dropout.NONE, SEED, false);
      for (Dropout dropout : List.of(Dropout.hiddenKeyMinus(0, 0), Dropout.hiddenKey(0, 0, 1))) {
        LanguageModelLoss none = adapted.loss(dropout, SEED, false);
        Map<String, double[]> expected =
            adapted.gradients(scope -> plain.of(scope, batch, 1, 0.1).total());
        adapted
            .gradients(scope -> none.of(scope, batch, 1, 0.1).total())
            .forEach((key, found) -> assertThat(found).as(key).isEqualTo(expected.get(key)));
        assertThat(value(adapted, dropout, batch, 1).task())
            .isEqualTo(value(adapted, Dropout.NONE, batch, 1).task());
        assertThat(value(adapted, dropout, batch, 1).divergence()).isZero();
      }
    }
  }

  @Test
  void lambdaOfZeroIsHiddenKeyMinus() throws IOException {
    Batch batch = batch("llama");
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      Dropout minus = Dropout.hiddenKeyMinus(0.2, 0.1);
      Loss.Value expected = adapted.loss(minus, SEED, false).of(scope, batch, 2, 1);
      Loss.Value zero =
          adapted.loss(Dropout.hiddenKey(0.2, 0.1, 0), SEED, false).of(scope, batch, 2, 1);
      assertThat(zero.total().item()).isEqualTo(expected.total().item());
      Loss.Value tiny =
          adapted.loss(Dropout.hiddenKey(0.2, 0.1, 1e-12), SEED, false).of(scope, batch, 2, 1);
      assertThat(tiny.task()).isCloseTo(expected.task(), within(1e-6 * expected.task()));
      assertThat(tiny.divergence()).isGreaterThan(1e-3);
      Loss.Value two =
          adapted.loss(Dropout.hiddenKey(0.2, 0.1, 2), SEED, false).of(scope, batch, 2, 1);
      assertThat(two.total().item())
          .isCloseTo(two.task() + 2 * two.divergence(), within(1e-6 * two.task()));
    }
  }

  @Test
  void masksChangeTheLossAndDependOnStepAndRows() throws IOException {
    Dropout dropout = Dropout.hiddenKeyMinus(0.2, 0.1);
    List<Example> rows = Parity.examples("llama");
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      double base = value(adapted, dropout, Batch.of(rows, 0), 0).task();
      assertThat(value(adapted, Dropout.NONE, Batch.of(rows, 0), 0).task())
          .isNotCloseTo(base, within(1e-3));
      assertThat(value(adapted, dropout, Batch.of(rows, 0), 1).task())
          .isNotCloseTo(base, within(1e-3));
      assertThat(value(adapted, dropout, Batch.of(rows, 1), 0).task())
          .isNotCloseTo(base, within(1e-3));
      assertThat(
              value(adapted, dropout.withLayers(Dropout.Layers.ALL), Batch.of(rows, 0), 0).task())
          .isNotCloseTo(base, within(1e-3));
      assertThat(value(adapted, Dropout.dropKey(0.2), Batch.of(rows, 0), 0).task())
          .isNotCloseTo(base, within(1e-3));
      assertThat(value(adapted, Dropout.hiddenCut(0.1), Batch.of(rows, 0), 0).task())
          .isNotCloseTo(base, within(1e-3));
    }
  }

  @ParameterizedTest
  @CsvSource({"gpt2,false", "llama,false", "llama,true", "mistral,true", "qwen3,false"})
  void branchesApartEqualBranchesInOneBatch(String name, boolean both) throws IOException {
    Dropout dropout = Dropout.hiddenKey(0.2, 0.1, 1).withBothBranches(both);
    Batch batch = batch(name);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F32);
        Scope scope = TestDevice.open()) {
      Loss.Value apart = adapted.loss(dropout, SEED, false).of(scope, batch, 4, 1);
      Loss.Value together = adapted.loss(dropout, SEED, true).of(scope, batch, 4, 1);
      assertThat(together.task()).isCloseTo(apart.task(), within(1e-6 * apart.task()));
      assertThat(together.divergence()).isCloseTo(apart.divergence(), within(1e-6 * apart.task()));
      Map<String, double[]> expected =
          adapted.gradients(s -> adapted.loss(dropout, SEED, false).of(s, batch, 4, 0.1).total());
      adapted
          .gradients(s -> adapted.loss(dropout, SEED, true).of(s, batch, 4, 0.1).total())
          .forEach((key, found) ->
              assertThat(Parity.distance(found, expected.get(key))).as(key).isLessThan(1e-5));
    }
  }

  @Test
  void eightRowsEqualFourAndFourAndOneByOne() throws IOException {
    Dropout dropout = Dropout.hiddenKey(0.2, 0.1, 1);
    List<Example> rows = AdaptedModel.trainingRows("llama").subList(0, 8);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      Loss.Value all = value(adapted, dropout, Batch.of(rows, 0), 3);
      for (int size : new int[] {4, 1}) {
        List<Loss.Value> parts = new ArrayList<>();
        for (int from = 0; from < 8; from += size) {
          Batch part = Batch.of(rows.subList(from, from + size), from);
          parts.add(value(adapted, dropout, part, 3));
        }
        assertThat(parts.stream().mapToDouble(Loss.Value::task).sum())
            .isCloseTo(all.task(), within(1e-5 * all.task()));
        assertThat(parts.stream().mapToDouble(Loss.Value::divergence).sum())
            .isCloseTo(all.divergence(), within(1e-5 * all.task()));
      }
    }
  }
}
