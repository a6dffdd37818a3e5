package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Batches;
import dev.gatun.models.data.Cursor;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.Step;
import dev.gatun.models.dropout.Agreement;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Pattern;
import dev.gatun.models.dropout.Position;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// One optimizer step is the same however its rows are divided, packed, or computed again.
class OptimizerStepTest {
  private static final Dropout HIDDEN_KEY = Dropout.hiddenKey(0.2, 0.1, 1);

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  static Stream<Dropout> methods() {
    return Stream.of(
        Dropout.NONE,
        Dropout.hiddenKeyMinus(0.2, 0.1),
        Dropout.hiddenKeyMinus(0.2, 0.1).withLayers(Dropout.Layers.ALL),
        HIDDEN_KEY,
        HIDDEN_KEY.withBothBranches(true),
        Dropout.of(
            Mask.of(Position.KEY, Pattern.ELEMENT, 0.2),
            Mask.of(Position.WEIGHT, Pattern.SPAN, 0.2),
            Mask.of(Position.HIDDEN, Pattern.COLUMN, 0.1)),
        Dropout.of(
            Mask.of(Position.KEY, Pattern.SPAN, 0.3),
            Mask.of(Position.WEIGHT, Pattern.ELEMENT, 0.2),
            Mask.of(Position.HIDDEN, Pattern.SPAN, 0.3),
            Mask.of(Position.INPUT, Pattern.SPAN, 0.2),
            Mask.of(Position.OUTPUT, 0.1)),
        HIDDEN_KEY.withAgreement(Agreement.JS, 1),
        Dropout.loraDropout(0.3, 3),
        Dropout.loraDropout(0.3, 2).withAgreement(Agreement.KL, 1));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void accumulatedBatchesEqualOneLargeBatch(Dropout dropout) throws IOException {
    Dataset rows = Runs.rows("llama", 0, 24);
    List<StepReport> large = steps(rows, dropout, Runs.inOrder(8, 1));
    for (int micro : new int[] {1, 4}) {
      List<StepReport> small = steps(rows, dropout, Runs.inOrder(micro, 8 / micro));
      for (int i = 0; i < large.size(); i++) {
        assertThat(small.get(i).loss()).isCloseTo(large.get(i).loss(), within(2e-6));
        assertThat(small.get(i).divergence()).isCloseTo(large.get(i).divergence(), within(2e-6));
        assertThat(small.get(i).gradNorm())
            .isCloseTo(large.get(i).gradNorm(), within(1e-5 * large.get(i).gradNorm()));
      }
    }
  }

  private static List<StepReport> steps(Dataset rows, Dropout dropout, BatchOptions batches)
      throws IOException {
    Runs.Reports reports = new Runs.Reports();
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      new Trainer(adapted.model(), adapted.adapter(), Runs.options(dropout, batches, 0.01, 3), null)
          .run(rows, null, false, reports);
    }
    return reports.steps;
  }

  @ParameterizedTest
  @MethodSource("methods")
  void packedDocumentsDoNotSeeEachOther(Dropout dropout) throws IOException {
    Dataset rows = Runs.rows("llama", 0, 12);
    Batches packed = new Batches(rows, new BatchOptions(1, 2, true, false, true, 64, 3));
    Step step = packed.step(Cursor.START);
    assertThat(step.batches().getFirst().segments()).isGreaterThan(1);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      LanguageModelLoss loss = loss(adapted, dropout, false, false);
      for (Batch batch : step.batches()) {
        double task = 0;
        double divergence = 0;
        for (int i = 0; i < batch.segments(); i++) {
          var alone = loss.of(scope, segment(batch, i), 5, 1);
          task += alone.task();
          divergence += alone.divergence();
        }
        var together = loss.of(scope, batch, 5, 1);
        assertThat(together.task()).isCloseTo(task, within(1e-5 * task));
        assertThat(together.divergence()).isCloseTo(divergence, within(1e-5 * task));
      }
    }
  }

  private static Batch segment(Batch batch, int index) {
    int from = batch.offsets()[index];
    int to = batch.offsets()[index + 1];
    Example example =
        new Example(
            0,
            0,
            Arrays.copyOfRange(batch.ids(), from, to),
            Arrays.copyOfRange(batch.labels(), from, to));
    return Batch.of(List.of(example), batch.rows()[index]);
  }

  @ParameterizedTest
  @CsvSource({"llama,false", "llama,true", "gpt2,false", "mistral,true"})
  void checkpointedGradientsAreBitEqual(String name, boolean oneBatch) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F32)) {
      for (Dropout dropout : methods().toList()) {
        LanguageModelLoss saved = loss(adapted, dropout, false, oneBatch);
        LanguageModelLoss again = loss(adapted, dropout, true, oneBatch);
        Map<String, double[]> expected =
            adapted.gradients(scope -> saved.of(scope, batch, 3, 0.1).total());
        Map<String, double[]> found =
            adapted.gradients(scope -> again.of(scope, batch, 3, 0.1).total());
        // with a gradient through both branches four terms meet in the activation that they share
        double limit = dropout.bothBranches() && !oneBatch ? 1e-5 : 0;
        expected.forEach((key, gradient) ->
            assertThat(Parity.distance(found.get(key), gradient))
                .as("%s %s", dropout, key)
                .isLessThanOrEqualTo(limit));
      }
    }
  }

  @Test
  void checkpointingNeedsLessMemory() throws IOException {
    List<Example> rows = AdaptedModel.trainingRows("llama");
    Batch batch = Batch.of(rows, 0);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      long saved = peak(adapted, loss(adapted, Dropout.NONE, false, false), batch);
      long again = peak(adapted, loss(adapted, Dropout.NONE, true, false), batch);
      assertThat(again).isLessThan(saved / 2);
    }
  }

  private static long peak(AdaptedModel adapted, LanguageModelLoss loss, Batch batch) {
    long before = NativeMemory.liveBytes(TestDevice.DEVICE);
    NativeMemory.resetPeak();
    adapted.gradients(scope -> loss.of(scope, batch, 0, 1).total());
    return NativeMemory.peakBytes(TestDevice.DEVICE) - before;
  }

  private static LanguageModelLoss loss(
      AdaptedModel adapted, Dropout dropout, boolean checkpointing, boolean oneBatch) {
    return new LanguageModelLoss(
        adapted.model(),
        adapted.adapter(),
        new LanguageModelLoss.Options(dropout, 7, checkpointing, oneBatch));
  }

  @Test
  void lastShortBatchIsKept() throws IOException {
    Dataset rows = Runs.rows("llama", 0, 10);
    List<StepReport> steps = still(rows, Runs.inOrder(2, 2), 4);
    List<Double> expected = new ArrayList<>();
    for (int[] range : new int[][] {{0, 4}, {4, 8}, {8, 10}, {0, 4}}) {
      expected.add(meanLoss(rows.examples().subList(range[0], range[1])));
    }
    for (int i = 0; i < 4; i++) {
      assertThat(steps.get(i).loss()).isCloseTo(expected.get(i), within(2e-6));
    }
    assertThat(steps.get(2).tokens()).isLessThan(steps.get(0).tokens());
    assertThat(steps.stream().map(StepReport::epoch)).containsExactly(0, 0, 0, 1);
  }

  @Test
  void lossIsTheMeanOverAllTokensOfTheStepNotOfItsBatches() throws IOException {
    List<Example> rows = new ArrayList<>();
    rows.add(new Example(0, 0, new int[] {5, 9}, null));
    rows.addAll(AdaptedModel.trainingRows("llama").subList(0, 3));
    rows.add(new Example(4, 4, new int[] {5, 9, 11}, new int[] {-100, -100, -100}));
    List<StepReport> steps = still(Runs.data(rows), Runs.inOrder(1, 5), 1);
    double meanOfMeans = 0;
    for (int i = 0; i < 4; i++) {
      meanOfMeans += meanLoss(rows.subList(i, i + 1)) / 4;
    }
    double mean = meanLoss(rows);
    assertThat(steps.getFirst().loss()).isCloseTo(mean, within(2e-6));
    assertThat(Math.abs(mean - meanOfMeans)).isGreaterThan(1e-2);
  }

  private static List<StepReport> still(Dataset rows, BatchOptions batches, int steps)
      throws IOException {
    Runs.Reports reports = new Runs.Reports();
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      new Trainer(
              adapted.model(),
              adapted.adapter(),
              Runs.options(Dropout.NONE, batches, 0, steps),
              null)
          .run(rows, null, false, reports);
    }
    return reports.steps;
  }

  private static double meanLoss(List<Example> rows) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      return Evaluation.of(adapted.model(), adapted.adapter(), Runs.data(rows), done -> {}).loss();
    }
  }
}
