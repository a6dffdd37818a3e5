package dev.gatun.models.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.StrictJson;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Frozen bf16 weights with f32 adapters: at most twice as far from float64 as transformers is.
class Bf16ParityTest {
  private static JsonNode bounds(String name) throws IOException {
    return bounds(name, "bf16.json");
  }

  private static JsonNode bounds(String name, String file) throws IOException {
    return StrictJson.read(Parity.model(name).resolve(file), 10_000).path("error_to_float64");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void logitsAndLossStayWithinTwiceTheErrorOfTransformers(String name) throws IOException {
    SafetensorsFile cases = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    SafetensorsFile adapters =
        Parity.open(Parity.model(name).resolve("adapters/default/expected.safetensors"));
    try (AdaptedModel adapted = AdaptedModel.open(name, "default", DType.BF16)) {
      check(adapted, PassAddition.NONE, cases, name, "logits64.", "loss64.all", "");
      check(adapted, adapted.adapter(), adapters, name, "logits.", "loss.all", "adapter.");
    }
  }

  private static void check(
      AdaptedModel adapted,
      PassAddition addition,
      SafetensorsFile expected,
      String name,
      String logitsKey,
      String lossKey,
      String boundKey)
      throws IOException {
    JsonNode bounds = bounds(name);
    JsonNode onDevice =
        TestDevice.DEVICE.isCuda() && boundKey.isEmpty() ? bounds(name, "bf16_gpu.json") : bounds;
    List<Example> examples = Parity.examples(name);
    double largest = 0;
    double squares = 0;
    int count = 0;
    try (Scope scope = TestDevice.open()) {
      for (int i = 0; i < examples.size(); i++) {
        Tensor logits = Parity.logits(scope, adapted.model(), addition, examples.get(i).ids());
        assertThat(logits.dtype()).isEqualTo(DType.BF16);
        double[] found = Parity.doubles(logits);
        double[] wanted = Parity.doubles(expected, logitsKey + i);
        for (int j = 0; j < found.length; j++) {
          double error = Math.abs(found[j] - wanted[j]);
          largest = Math.max(largest, error);
          squares += error * error;
          count++;
        }
      }
      assertThat(largest)
          .isLessThan(2 * onDevice.path(boundKey + "logits_max_abs").asDouble())
          .isGreaterThan(1e-4);
      assertThat(Math.sqrt(squares / count))
          .isLessThan(1.5 * onDevice.path(boundKey + "logits_rms").asDouble());
      Batch batch = Batch.of(examples, 0);
      Loss.Value loss =
          new LanguageModelLoss(adapted.model(), addition, LanguageModelLoss.Options.EVALUATION)
              .of(scope, batch, 0, 1.0 / batch.targetCount());
      assertThat(loss.total().dtype()).isEqualTo(DType.F32);
      assertThat(loss.total().item())
          .isCloseTo(
              Parity.doubles(expected, lossKey)[0],
              within(3 * standardError(bounds, boundKey, batch.targetCount())));
    }
  }

  /// Of a mean of the tokens' losses, whose errors are about those of transformers' logits. (The
  /// error of transformers' own mean is one draw, too small or too large by chance.)
  private static double standardError(JsonNode bounds, String key, long tokens) {
    return bounds.path(key + "logits_rms").asDouble() / Math.sqrt(tokens);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void adaptersAndTheirGradientsAreF32(String name) throws IOException {
    double bound = 2 * bounds(name).path("adapter.grad_worst_relative_norm").asDouble();
    SafetensorsFile expected =
        Parity.open(Parity.model(name).resolve("adapters/default/expected.safetensors"));
    Batch batch = Batch.of(Parity.examples(name), 0);
    try (AdaptedModel adapted = AdaptedModel.open(name, "default", DType.BF16)) {
      adapted
          .adapter()
          .parameters()
          .forEach((key, tensor) -> assertThat(tensor.dtype()).as(key).isEqualTo(DType.F32));
      LanguageModelLoss loss =
          new LanguageModelLoss(
              adapted.model(), adapted.adapter(), LanguageModelLoss.Options.EVALUATION);
      Map<String, double[]> gradients =
          adapted.gradients(scope -> loss.of(scope, batch, 0, 1.0 / batch.targetCount()).total());
      for (Map.Entry<String, double[]> each : gradients.entrySet()) {
        assertThat(relativeNorm(each.getValue(), Parity.doubles(expected, "grad." + each.getKey())))
            .as(each.getKey())
            .isLessThan(bound);
      }
    }
  }

  private static double relativeNorm(double[] found, double[] wanted) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < found.length; i++) {
      error += (found[i] - wanted[i]) * (found[i] - wanted[i]);
      norm += wanted[i] * wanted[i];
    }
    return Math.sqrt(error / norm);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "mistral", "qwen3"})
  void hiddenKeyInBf16IsNearThatInF32(String name) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    LanguageModelLoss.Options options =
        new LanguageModelLoss.Options(Dropout.hiddenKey(0.2, 0.1, 1), 7, false, false);
    double[] task = new double[2];
    double[] divergence = new double[2];
    for (int i = 0; i < 2; i++) {
      try (AdaptedModel adapted = AdaptedModel.open(name, i == 0 ? DType.F32 : DType.BF16);
          Scope scope = TestDevice.open()) {
        Loss.Value value =
            new LanguageModelLoss(adapted.model(), adapted.adapter(), options)
                .of(scope, batch, 1, 1.0 / batch.targetCount());
        task[i] = value.task() / batch.targetCount();
        divergence[i] = value.divergence() / batch.targetCount();
      }
    }
    assertThat(task[1]).isCloseTo(task[0], within(2e-2));
    assertThat(divergence[1]).isCloseTo(divergence[0], within(2e-2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void matricesAreBf16AndNormsF32(String name) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open(name, DType.BF16)) {
      CausalLm model = adapted.model();
      assertThat(model.computeType()).isEqualTo(DType.BF16);
      model
          .params()
          .forEach(param -> {
            boolean norm = param.name().contains("norm") || param.name().contains("ln_");
            assertThat(param.value().dtype())
                .as(param.name())
                .isEqualTo(norm ? DType.F32 : DType.BF16);
          });
    }
  }
}
