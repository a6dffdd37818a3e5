package dev.gatun.models.train;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.lora.LoraTraining;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.train.TrainResult.End;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.StrictJson;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Twenty steps of AdaLoRA against peft's, and the same ones with a stop between.
class AdaLoraCurveTest {
  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  private static Path folder(String name) {
    return Parity.model(name).resolve("adalora");
  }

  @MustBeClosed
  private static CausalLm open(String name) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
  }

  private static TrainOptions settings(String name) throws IOException {
    JsonNode json = StrictJson.read(folder(name).resolve("settings.json"), 10_000);
    return new TrainOptions(
        new LanguageModelLoss.Options(Dropout.NONE, 0, false, false),
        new AdamW.Config(
            json.path("betas").path(0).asDouble(),
            json.path("betas").path(1).asDouble(),
            json.path("eps").asDouble(),
            json.path("weight_decay").asDouble()),
        new Schedule(
            Schedule.Shape.CONSTANT, json.path("lr").asDouble(), 0, json.path("steps").asInt()),
        json.path("max_grad_norm").asDouble(),
        Runs.inOrder(json.path("batch").asInt(), 1),
        0,
        1,
        0);
  }

  /// Keeps what the fixture holds of each step.
  private static final class Watcher implements TrainListener {
    final List<StepReport> steps = new ArrayList<>();
    final List<Double> penalties = new ArrayList<>();
    final List<Map<String, double[]>> lambdas = new ArrayList<>();
    private final LoraAdapter adapter;
    private final int last;

    Watcher(LoraAdapter adapter, int last) {
      this.adapter = adapter;
      this.last = last;
    }

    @Override
    public boolean onStep(StepReport report) {
      steps.add(report);
      penalties.add(penalty(adapter));
      Map<String, double[]> lambda = new LinkedHashMap<>();
      adapter
          .parameters()
          .forEach((key, tensor) -> {
            if (key.endsWith(".lora_E")) {
              lambda.put(module(key), Parity.doubles(tensor));
            }
          });
      lambdas.add(lambda);
      return report.step() != last;
    }
  }

  private static String module(String key) {
    return key.substring("base_model.model.".length(), key.length() - ".lora_E".length());
  }

  private static double penalty(LoraAdapter adapter) {
    try (Tape tape = Tape.open(adapter.parameters().values())) {
      return requireNonNull(adapter.penalty(tape)).item();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void twentyStepsEqualThoseOfPeft(String name, @TempDir Path saved) throws IOException {
    SafetensorsFile expected = Parity.open(folder(name).resolve("expected.safetensors"));
    double[] losses = Parity.doubles(expected, "losses");
    double[] penalties = Parity.doubles(expected, "penalties");
    double[] norms = Parity.doubles(expected, "grad_norms");
    double[] kept = Parity.doubles(expected, "kept");
    try (CausalLm model = open(name);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, folder(name).resolve("start"));
      assertThat(penalty(adapter)).isCloseTo(penalties[0], within(1e-4));
      Watcher seen = new Watcher(adapter, -1);
      new Trainer(model, adapter, settings(name), null)
          .run(Runs.rows(name, 0, 40), null, false, seen);
      assertThat(seen.steps).hasSize(20);
      for (int i = 0; i < 20; i++) {
        StepReport step = seen.steps.get(i);
        assertThat(step.loss()).as("loss %d", i).isCloseTo(losses[i], within(1e-4));
        assertThat(step.gradNorm()).as("norm %d", i).isCloseTo(norms[i], within(1e-4 * norms[i]));
        if (i < 19) {
          assertThat(seen.penalties.get(i)).isCloseTo(penalties[i + 1], within(1e-4));
        }
        assertLambdas(expected, seen.lambdas.get(i), i, kept[i]);
      }
      adapter
          .parameters()
          .forEach((key, tensor) ->
              assertClose(key, Parity.doubles(tensor), doubles(expected, "final." + key)));
      adapter.save(saved);
      assertSavedAsPeftDoes(scope, model, saved, folder(name).resolve("final"));
    }
  }

  /// A layer that lost all its ranks has nothing but zeros to be relative to.
  private static void assertClose(String key, double[] found, double[] reference) {
    if (Arrays.stream(reference).allMatch(each -> each == 0)) {
      assertThat(Arrays.stream(found).allMatch(each -> each == 0)).as(key).isTrue();
    } else {
      assertThat(Parity.distance(found, reference)).as(key).isLessThan(1e-4);
    }
  }

  private static double[] doubles(SafetensorsFile file, String name) {
    try {
      return Parity.doubles(file, name);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void assertLambdas(
      SafetensorsFile expected, Map<String, double[]> found, int step, double kept) {
    int left = 0;
    for (Map.Entry<String, double[]> each : found.entrySet()) {
      double[] all = doubles(expected, "lambda." + each.getKey());
      double[] lambda = each.getValue();
      for (int i = 0; i < lambda.length; i++) {
        double value = all[step * lambda.length + i];
        assertThat(lambda[i])
            .as("step %d %s %d", step, each.getKey(), i)
            .isCloseTo(value, within(1e-4));
        assertThat(lambda[i] == 0).isEqualTo(value == 0);
        left += lambda[i] == 0 ? 0 : 1;
      }
    }
    if (step >= 14) { // the ranks stay
      assertThat(left).isEqualTo((int) kept);
    }
  }

  private static void assertSavedAsPeftDoes(Scope scope, CausalLm model, Path ours, Path theirs)
      throws IOException {
    LoraAdapter found = LoraAdapter.load(scope, model, ours);
    LoraAdapter wanted = LoraAdapter.load(scope, model, theirs);
    assertThat(found.match()).isEqualTo(wanted.match());
    assertThat(found.parameters().keySet()).isEqualTo(wanted.parameters().keySet());
    wanted
        .parameters()
        .forEach((key, tensor) -> {
          Tensor other = requireNonNull(found.parameters().get(key));
          assertThat(other.shape()).as(key).isEqualTo(tensor.shape());
          assertClose(key, Parity.doubles(other), Parity.doubles(tensor));
        });
  }

  private static Map<String, double[]> run(@Nullable Path checkpoints, int last, End expected)
      throws IOException {
    try (CausalLm model = open("llama");
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, folder("llama").resolve("start"));
      TrainResult result =
          new Trainer(model, adapter, settings("llama"), checkpoints)
              .run(Runs.rows("llama", 0, 40), null, true, new Watcher(adapter, last));
      assertThat(result.end()).isEqualTo(expected);
      Map<String, double[]> values = new LinkedHashMap<>();
      adapter.parameters().forEach((key, tensor) -> values.put(key, Parity.doubles(tensor)));
      adapter.state().forEach((key, tensor) -> values.put(key, Parity.doubles(tensor)));
      return values;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 7, 15, 18})
  void stoppedRunGoesOnWithItsScoresAndMasks(int step, @TempDir Path checkpoints)
      throws IOException {
    Map<String, double[]> whole = run(null, -1, End.COMPLETED);
    run(checkpoints, step, End.CANCELLED);
    Map<String, double[]> resumed = run(checkpoints, -1, End.COMPLETED);
    whole.forEach((key, values) -> assertThat(resumed.get(key)).as(key).isEqualTo(values));
  }

  @Test
  void otherSettingsOfTheMethodAreRefused(@TempDir Path checkpoints) throws IOException {
    run(checkpoints, 3, End.CANCELLED);
    try (CausalLm model = open("llama");
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter =
          LoraAdapter.load(scope, model, folder("llama").resolve("start"))
              .with(new LoraTraining(4, 0, false));
      Trainer trainer = new Trainer(model, adapter, settings("llama"), checkpoints);
      assertThatThrownBy(() -> trainer.run(Runs.rows("llama", 0, 40), null, true, Runs.SILENT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("lora-plus-ratio: found null, expected 4.0");
    }
  }
}
