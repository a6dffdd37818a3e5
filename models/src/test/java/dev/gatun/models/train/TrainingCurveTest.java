package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.lora.LoraTraining;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.StrictJson;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Ten steps of the trainer against the same ten of PyTorch and peft.
class TrainingCurveTest {
  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void tenStepsEqualThoseOfPyTorch(String name) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.F32)) {
      assertSteps(run(name, adapted, settings(name)), adapted, expected(name));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-bias"})
  void tenLoraPlusStepsEqualThoseOfPeft(String name) throws IOException {
    Path folder = Parity.model(name).resolve("plus");
    JsonNode json = StrictJson.read(folder.resolve("settings.json"), 10_000);
    String start = json.path("start_adapter").asString().substring("adapters/".length());
    double ratio = json.path("loraplus_lr_ratio").asDouble();
    try (AdaptedModel plain = AdaptedModel.open(name, start, DType.F32)) {
      LoraAdapter plus = plain.adapter().with(new LoraTraining(ratio, 0, false));
      AdaptedModel adapted = new AdaptedModel(plain.model(), plus, plain.scope());
      assertSteps(
          run("llama", adapted, settings("llama")),
          adapted,
          Parity.open(folder.resolve("expected.safetensors")));
    }
  }

  private static void assertSteps(
      List<StepReport> steps, AdaptedModel adapted, SafetensorsFile expected) throws IOException {
    double[] losses = Parity.doubles(expected, "losses");
    double[] norms = Parity.doubles(expected, "grad_norms");
    double[] rates = Parity.doubles(expected, "learning_rates");
    assertThat(steps).hasSize(10);
    for (int i = 0; i < 10; i++) {
      StepReport step = steps.get(i);
      assertThat(step.loss()).as("loss %d", i).isCloseTo(losses[i], within(1e-5));
      assertThat(step.gradNorm()).as("norm %d", i).isCloseTo(norms[i], within(1e-4 * norms[i]));
      assertThat(step.learningRate()).as("rate %d", i).isCloseTo(rates[i], within(1e-12));
    }
    for (Map.Entry<String, double[]> each : adapted.values().entrySet()) {
      assertThat(
              Parity.distance(each.getValue(), Parity.doubles(expected, "final." + each.getKey())))
          .as(each.getKey())
          .isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"no clipping", "no decay", "constant rate", "eps"})
  void eachSettingMovesTheCurve(String change) throws IOException {
    TrainOptions set = settings("llama");
    AdamW.Config adamW = set.adamW();
    Schedule schedule = set.schedule();
    double clip = set.maxGradNorm();
    switch (change) {
      case "no clipping" -> clip = 0;
      case "no decay" -> adamW = adamW.withWeightDecay(0);
      case "eps" -> adamW = new AdamW.Config(adamW.beta1(), adamW.beta2(), 1e-2, 0.1);
      default ->
          schedule =
              new Schedule(
                  Schedule.Shape.CONSTANT, schedule.peak(), schedule.warmup(), schedule.steps());
    }
    TrainOptions other =
        new TrainOptions(set.lossOptions(), adamW, schedule, clip, set.batches(), 0, 0, 0);
    double[] losses = Parity.doubles(expected("llama"), "losses");
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      List<StepReport> steps = run("llama", adapted, other);
      double furthest = 0;
      for (int i = 0; i < 10; i++) {
        furthest = Math.max(furthest, Math.abs(steps.get(i).loss() - losses[i]));
      }
      assertThat(furthest).isGreaterThan(1e-4);
    }
  }

  private static List<StepReport> run(String name, AdaptedModel adapted, TrainOptions options)
      throws IOException {
    Runs.Reports reports = new Runs.Reports();
    TrainResult result =
        new Trainer(adapted.model(), adapted.adapter(), options, null)
            .run(Runs.rows(name, 0, 40), null, false, reports);
    assertThat(result.losses()).isEqualTo(reports.steps.stream().map(StepReport::loss).toList());
    return reports.steps;
  }

  private static SafetensorsFile expected(String name) throws IOException {
    return Parity.open(Parity.model(name).resolve("train/expected.safetensors"));
  }

  private static TrainOptions settings(String name) throws IOException {
    Path file = Parity.model(name).resolve("train/settings.json");
    JsonNode json = StrictJson.read(file, 10_000);
    return new TrainOptions(
        new LanguageModelLoss.Options(Dropout.NONE, 0, false, false),
        new AdamW.Config(
            json.path("betas").path(0).asDouble(),
            json.path("betas").path(1).asDouble(),
            json.path("eps").asDouble(),
            json.path("weight_decay").asDouble()),
        new Schedule(
            Schedule.Shape.LINEAR,
            json.path("lr").asDouble(),
            json.path("warmup_steps").asInt(),
            json.path("steps").asInt()),
        json.path("max_grad_norm").asDouble(),
        Runs.inOrder(json.path("micro_batch").asInt(), json.path("accumulation").asInt()),
        0,
        0,
        0);
  }
}
