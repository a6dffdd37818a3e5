package dev.gatun.models.train;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.train.TrainResult.End;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How a run ends: early, cancelled, at a number that is none, or by the listener's own error.
class TrainerTest {
  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  private static TrainOptions stopping(double rate, int steps, int evalEvery, int patience) {
    TrainOptions plain = Runs.options(Dropout.NONE, Runs.inOrder(4, 1), rate, steps);
    return new TrainOptions(
        plain.lossOptions(),
        plain.adamW(),
        plain.schedule(),
        0,
        plain.batches(),
        evalEvery,
        0,
        patience);
  }

  @Test
  void earlyStopKeepsTheBestWeights() throws IOException {
    Dataset train = Runs.rows("llama", 0, 4);
    Dataset heldOut = Runs.rows("llama", 20, 40);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      List<Integer> evaluated = new ArrayList<>();
      TrainListener listener =
          new TrainListener() {
            @Override
            public boolean onStep(StepReport report) {
              return true;
            }

            @Override
            public void onEvaluation(int step, Evaluation evaluation) {
              evaluated.add(step);
            }
          };
      TrainResult result =
          new Trainer(adapted.model(), adapted.adapter(), stopping(0.02, 200, 2, 3), null)
              .run(train, heldOut, false, listener);
      assertThat(result.end()).isEqualTo(End.STOPPED_EARLY);
      TrainResult.Evaluated best = requireNonNull(result.best());
      assertThat(result.steps()).isEqualTo(best.step() + 6).isLessThan(200);
      assertThat(result.evaluations()).allMatch(e -> e.loss() >= best.loss());
      assertThat(result.evaluations().getLast().loss()).isGreaterThan(best.loss() + 0.01);
      assertThat(result.evaluations().stream().map(TrainResult.Evaluated::step))
          .containsExactlyElementsOf(evaluated);
      assertThat(Evaluation.of(adapted.model(), adapted.adapter(), heldOut, done -> {}).loss())
          .isEqualTo(best.loss());
    }
  }

  @Test
  void bestWeightsComeBackWhereAllStepsWereMade() throws IOException {
    Dataset heldOut = Runs.rows("llama", 20, 40);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainResult result =
          new Trainer(adapted.model(), adapted.adapter(), stopping(0.05, 30, 1, 100), null)
              .run(Runs.rows("llama", 0, 4), heldOut, false, Runs.SILENT);
      assertThat(result.end()).isEqualTo(End.COMPLETED);
      assertThat(result.evaluations()).hasSize(30);
      TrainResult.Evaluated best = requireNonNull(result.best());
      assertThat(best.step()).isLessThan(30);
      assertThat(Evaluation.of(adapted.model(), adapted.adapter(), heldOut, done -> {}).loss())
          .isEqualTo(best.loss());
    }
  }

  @Test
  void listenerCancels() throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainOptions options = Runs.options(Dropout.NONE, Runs.inOrder(2, 1), 0.01, 10);
      TrainListener afterThree = report -> report.step() < 3;
      TrainResult result =
          new Trainer(adapted.model(), adapted.adapter(), options, null)
              .run(Runs.rows("llama", 0, 8), null, false, afterThree);
      assertThat(result.end()).isEqualTo(End.CANCELLED);
      assertThat(result.steps()).isEqualTo(3);
      assertThat(result.losses()).hasSize(3);
    }
  }

  @Test
  void interruptEndsTheRunWithACheckpoint(@TempDir Path checkpoints) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainOptions options = Runs.options(Dropout.NONE, Runs.inOrder(4, 1), 1e-3, 9);
      TrainListener interrupting =
          report -> {
            if (report.step() == 3) {
              Thread.currentThread().interrupt();
            }
            return true;
          };
      TrainResult result =
          new Trainer(adapted.model(), adapted.adapter(), options, checkpoints)
              .run(Runs.rows("llama", 0, 8), null, false, interrupting);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(result.end()).isEqualTo(End.CANCELLED);
      assertThat(result.steps()).isEqualTo(3);
      assertThat(checkpoints.resolve("checkpoint-00000003.safetensors")).isRegularFile();
    }
  }

  @Test
  void listenersErrorComesThroughAndFreesEverything() throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      long before = NativeMemory.liveTensors();
      TrainListener failing =
          report -> {
            throw new CancellationException("enough");
          };
      Trainer trainer =
          new Trainer(
              adapted.model(),
              adapted.adapter(),
              Runs.options(Dropout.NONE, Runs.inOrder(2, 1), 0.01, 10),
              null);
      Dataset rows = Runs.rows("llama", 0, 8);
      assertThatThrownBy(() -> trainer.run(rows, null, false, failing))
          .isInstanceOf(CancellationException.class);
      assertThat(NativeMemory.liveTensors()).isEqualTo(before);
    }
  }

  @Test
  void lossThatIsNoNumberStopsTheRunBeforeItsUpdate(@TempDir Path checkpoints) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      long before = NativeMemory.liveTensors();
      TrainOptions plain = Runs.options(Dropout.NONE, Runs.inOrder(2, 1), 0.01, 10);
      TrainOptions options =
          new TrainOptions(
              plain.lossOptions(), plain.adamW(), plain.schedule(), 0, plain.batches(), 0, 2, 0);
      Tensor poisoned = adapted.adapter().parameters().values().iterator().next();
      Map<String, double[]> atThree = new HashMap<>();
      TrainListener poisoner =
          report -> {
            if (report.step() == 3) {
              TestDevice.set(poisoned, 0, Float.NaN);
              atThree.putAll(adapted.values());
            }
            return true;
          };
      Trainer trainer = new Trainer(adapted.model(), adapted.adapter(), options, checkpoints);
      Dataset rows = Runs.rows("llama", 0, 8);
      assertThatThrownBy(() -> trainer.run(rows, null, false, poisoner))
          .isInstanceOf(NonFiniteLossException.class)
          .hasMessageContaining("step 4: loss is NaN")
          .hasMessageContaining("update was not made")
          .hasMessageContaining(checkpoints.resolve("checkpoint-00000002.safetensors").toString())
          .message()
          .doesNotContain("\n");
      adapted
          .values()
          .forEach((key, values) -> assertThat(values).as(key).isEqualTo(atThree.get(key)));
      assertThat(NativeMemory.liveTensors()).isEqualTo(before);
    }
  }

  @Test
  void rateThatIsFarTooHighEndsInOneClearError() throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      Trainer trainer =
          new Trainer(
              adapted.model(),
              adapted.adapter(),
              Runs.options(Dropout.hiddenKey(0.1, 0.1, 1), Runs.inOrder(2, 1), 1e25, 10),
              null);
      Dataset rows = Runs.rows("llama", 0, 8);
      assertThatThrownBy(() -> trainer.run(rows, null, false, Runs.SILENT))
          .isInstanceOf(NonFiniteLossException.class)
          .hasMessageContaining("step 2")
          .hasMessageContaining("there is no checkpoint yet");
    }
  }

  @Test
  void earlyStoppingNeedsEvaluations() {
    assertThatThrownBy(() -> stopping(0.1, 10, 0, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("evaluations");
  }

  @Test
  void eachStepIsAnEventOfFlightRecorder(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("steps.jfr");
    Runs.Reports reports = new Runs.Reports();
    try (Recording recording = new Recording();
        AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      recording.start();
      TrainOptions options = Runs.options(Dropout.NONE, Runs.inOrder(4, 1), 1e-3, 3);
      new Trainer(adapted.model(), adapted.adapter(), options, null)
          .run(Runs.rows("llama", 0, 12), null, false, reports);
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events =
        RecordingFile.readAllEvents(file).stream()
            .filter(event -> event.getEventType().getName().equals("dev.gatun.TrainingStep"))
            .toList();
    assertThat(events).hasSameSizeAs(reports.steps);
    for (int i = 0; i < events.size(); i++) {
      StepReport report = reports.steps.get(i);
      assertThat(events.get(i).getInt("step")).isEqualTo(report.step());
      assertThat(events.get(i).getDouble("loss")).isEqualTo(report.loss());
      assertThat(events.get(i).getLong("tokens")).isEqualTo(report.tokens());
      assertThat(events.get(i).getDuration()).isPositive();
    }
  }
}
