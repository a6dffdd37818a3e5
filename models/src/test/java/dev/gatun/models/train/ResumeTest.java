package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.lora.LoraTraining;
import dev.gatun.models.train.TrainResult.End;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs that stop and go on give, bit for bit, what one run gives.
class ResumeTest {
  private static final Dropout HIDDEN_KEY = Dropout.hiddenKey(0.1, 0.1, 1);
  private static final BatchOptions BATCHES = new BatchOptions(2, 2, true, true, false, 64, 11);

  /// A run's outcome, and the adapter at its end.
  private record Outcome(TrainResult result, Map<String, double[]> values) {}

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  private static TrainOptions options(Dropout dropout, BatchOptions batches, int patience) {
    return new TrainOptions(
        new LanguageModelLoss.Options(dropout, 7, false, false),
        AdamW.Config.defaults(),
        new Schedule(Schedule.Shape.COSINE, 0.03, 2, 9),
        1,
        batches,
        patience > 0 ? 1 : 2,
        2,
        patience);
  }

  private static Outcome run(
      TrainOptions options, @Nullable Path checkpoints, TrainListener listener) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainResult result =
          new Trainer(adapted.model(), adapted.adapter(), options, checkpoints)
              .run(Runs.rows("llama", 0, 10), Runs.rows("llama", 30, 34), true, listener);
      return new Outcome(result, adapted.values());
    }
  }

  private static TrainListener until(int step) {
    return report -> report.step() != step;
  }

  private static TrainListener dyingAt(int step) {
    return report -> {
      if (report.step() == step) {
        throw new CancellationException("killed");
      }
      return true;
    };
  }

  private static void assertSame(Outcome found, Outcome expected) {
    assertThat(found.result.end()).isEqualTo(expected.result.end());
    assertThat(found.result.steps()).isEqualTo(expected.result.steps());
    assertThat(found.result.losses()).isEqualTo(expected.result.losses());
    assertThat(found.result.divergences()).isEqualTo(expected.result.divergences());
    assertThat(found.result.evaluations()).isEqualTo(expected.result.evaluations());
    assertThat(found.result.best()).isEqualTo(expected.result.best());
    expected.values.forEach(
        (key, values) -> assertThat(found.values.get(key)).as(key).isEqualTo(values));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 6, 8})
  void cancelledRunGoesOn(int step, @TempDir Path checkpoints) throws IOException {
    TrainOptions options = options(HIDDEN_KEY, BATCHES, 0);
    Outcome whole = run(options, null, Runs.SILENT);
    Outcome part = run(options, checkpoints, until(step));
    assertThat(part.result.end()).isEqualTo(End.CANCELLED);
    assertThat(part.result.steps()).isEqualTo(step);
    assertSame(run(options, checkpoints, Runs.SILENT), whole);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 7})
  void killedRunGoesOnFromItsLastCheckpoint(int step, @TempDir Path checkpoints)
      throws IOException {
    TrainOptions options = options(HIDDEN_KEY, new BatchOptions(1, 2, true, false, true, 24, 3), 0);
    Outcome whole = run(options, null, Runs.SILENT);
    assertThatThrownBy(() -> run(options, checkpoints, dyingAt(step)))
        .isInstanceOf(CancellationException.class);
    Files.writeString(checkpoints.resolve(".checkpoint-00000099.safetensors.1f.tmp"), "torn");
    assertThatThrownBy(() -> run(options, checkpoints, dyingAt(8)))
        .isInstanceOf(CancellationException.class);
    assertSame(run(options, checkpoints, Runs.SILENT), whole);
    try (Stream<Path> files = Files.list(checkpoints)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .filteredOn(name -> name.startsWith("checkpoint-"))
          .containsExactly("checkpoint-00000009.safetensors");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5})
  void bestWeightsSurvive(int step, @TempDir Path checkpoints) throws IOException {
    TrainOptions options = options(Dropout.NONE, BATCHES, 20);
    Outcome whole = run(options, null, Runs.SILENT);
    run(options, checkpoints, until(step));
    assertSame(run(options, checkpoints, Runs.SILENT), whole);
  }

  @Test
  void runThatStoppedEarlyStaysStopped(@TempDir Path checkpoints) throws IOException {
    TrainOptions plain = options(Dropout.NONE, BATCHES, 1);
    TrainOptions options =
        new TrainOptions(
            plain.lossOptions(),
            plain.adamW(),
            new Schedule(Schedule.Shape.CONSTANT, 0.3, 0, 60),
            0,
            BATCHES,
            1,
            0,
            2);
    Outcome whole = run(options, checkpoints, Runs.SILENT);
    assertThat(whole.result.end()).isEqualTo(End.STOPPED_EARLY);
    assertSame(run(options, checkpoints, Runs.SILENT), whole);
  }

  @Test
  void finishedRunIsNotRunAgain(@TempDir Path checkpoints) throws IOException {
    TrainOptions options = options(HIDDEN_KEY, BATCHES, 0);
    Outcome whole = run(options, checkpoints, Runs.SILENT);
    Outcome again =
        run(
            options,
            checkpoints,
            report -> {
              throw new AssertionError("a step too many");
            });
    assertSame(again, whole);
  }

  static Stream<Arguments> otherSettings() {
    TrainOptions base = options(HIDDEN_KEY, BATCHES, 0);
    return Stream.of(
        Arguments.of("dropout", options(Dropout.hiddenKey(0.2, 0.1, 1), BATCHES, 0)),
        Arguments.of("dropout", options(HIDDEN_KEY.withBothBranches(true), BATCHES, 0)),
        Arguments.of(
            "seed",
            with(base, new LanguageModelLoss.Options(HIDDEN_KEY, 8, false, false), 0.03, 1, 0.01)),
        Arguments.of(
            "one-batch",
            with(base, new LanguageModelLoss.Options(HIDDEN_KEY, 7, false, true), 0.03, 1, 0.01)),
        Arguments.of("schedule", with(base, base.lossOptions(), 0.04, 1, 0.01)),
        Arguments.of("max-grad-norm", with(base, base.lossOptions(), 0.03, 2, 0.01)),
        Arguments.of("optimizer", with(base, base.lossOptions(), 0.03, 1, 0.02)),
        Arguments.of("batches", options(HIDDEN_KEY, BatchOptions.shuffled(4, 11), 0)));
  }

  private static TrainOptions with(
      TrainOptions base,
      LanguageModelLoss.Options loss,
      double rate,
      double maxGradNorm,
      double decay) {
    return new TrainOptions(
        loss,
        base.adamW().withWeightDecay(decay),
        new Schedule(Schedule.Shape.COSINE, rate, 2, 9),
        maxGradNorm,
        base.batches(),
        2,
        2,
        0);
  }

  @ParameterizedTest
  @MethodSource("otherSettings")
  void otherSettingsAreRefusedByName(String name, TrainOptions other, @TempDir Path checkpoints)
      throws IOException {
    run(options(HIDDEN_KEY, BATCHES, 0), checkpoints, until(2));
    long before = NativeMemory.liveTensors();
    assertThatThrownBy(() -> run(other, checkpoints, Runs.SILENT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("checkpoint-00000002.safetensors: " + name + ": found ")
        .hasMessageContaining(", expected ")
        .message()
        .doesNotContain("\n");
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  @Test
  void otherDataOfAsManyRowsIsRefused(@TempDir Path checkpoints) throws IOException {
    TrainOptions options = options(HIDDEN_KEY, BATCHES, 0);
    run(options, checkpoints, until(2));
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      Trainer trainer = new Trainer(adapted.model(), adapted.adapter(), options, checkpoints);
      Dataset other = Runs.rows("llama", 1, 11);
      assertThatThrownBy(() -> trainer.run(other, null, true, Runs.SILENT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("checkpoint-00000002.safetensors: data: found 10 rows, sha256 ");
    }
  }

  @Test
  void settingsThatTheRunNoLongerHasAreRefused(@TempDir Path checkpoints) throws IOException {
    TrainOptions options = options(HIDDEN_KEY, BATCHES, 0);
    Dataset rows = Runs.rows("llama", 0, 10);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      LoraAdapter plus = adapted.adapter().with(new LoraTraining(4, 0, false));
      new Trainer(adapted.model(), plus, options, checkpoints).run(rows, null, false, until(2));
      Trainer plain = new Trainer(adapted.model(), adapted.adapter(), options, checkpoints);
      assertThatThrownBy(() -> plain.run(rows, null, true, Runs.SILENT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("lora-plus-ratio: found 4.0, expected none");
    }
  }

  @Test
  void withoutResumeTheRunBeginsAnew(@TempDir Path checkpoints) throws IOException {
    TrainOptions options = options(HIDDEN_KEY, BATCHES, 0);
    run(options, checkpoints, until(4));
    Dataset rows = Runs.rows("llama", 0, 10);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      Runs.Reports reports = new Runs.Reports();
      new Trainer(adapted.model(), adapted.adapter(), options, checkpoints)
          .run(rows, null, false, reports);
      assertThat(reports.steps.getFirst().step()).isEqualTo(1);
    }
  }
}
