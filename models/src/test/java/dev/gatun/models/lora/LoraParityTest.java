package dev.gatun.models.lora;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.train.FullWeights;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Adapters that peft wrote: logits, loss, gradients and merged weights against transformers and
/// peft.
class LoraParityTest {
  private static final int CASES = 3;

  static Stream<Arguments> adapters() throws IOException {
    List<Arguments> all = new ArrayList<>();
    for (String model : Parity.architectures()) {
      try (Stream<Path> variants = Files.list(Parity.model(model).resolve("adapters"))) {
        variants.sorted().forEach(v -> all.add(Arguments.of(model, v.getFileName().toString())));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void logitsLossAndGradientsEqualThoseOfPeft(String name, String variant) throws IOException {
    Path directory = Parity.model(name).resolve("adapters").resolve(variant);
    SafetensorsFile cases = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    SafetensorsFile expected = Parity.open(directory.resolve("expected.safetensors"));
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, directory);
      for (int i = 0; i < CASES; i++) {
        int[] ids = Parity.ints(cases, "ids." + i);
        Tensor logits = Parity.logits(scope, model, adapter, ids);
        assertThat(Parity.distance(Parity.doubles(logits), Parity.doubles(expected, "logits." + i)))
            .as("logits %d", i)
            .isLessThan(1e-5);
      }
      gradients(scope, model, adapter, name, expected, "loss.all");
      Map<String, Tensor> merged = adapter.merged(scope, model);
      for (String key : expected.tensors().keySet()) {
        if (key.startsWith("merged.")) {
          Tensor weight = merged.get(key.substring("merged.".length()));
          assertThat(Parity.distance(Parity.doubles(weight), Parity.doubles(expected, key)))
              .as(key)
              .isLessThan(1e-6);
        }
      }
    }
  }

  static List<String> architectures() {
    return Parity.architectures();
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void gradientsOfAllWeightsEqualThoseOfTransformers(String name) throws IOException {
    ModelDirectory directory = ModelDirectory.read(Parity.model(name));
    SafetensorsFile expected = Parity.open(Parity.model(name).resolve("full.safetensors"));
    try (CausalLm model = directory.open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.TRAINED);
        Scope scope = TestDevice.open()) {
      gradients(scope, model, new FullWeights(directory, model), name, expected, "");
    }
  }

  private static void gradients(
      Scope scope,
      CausalLm model,
      Trained trained,
      String name,
      SafetensorsFile expected,
      String lossKey)
      throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    LanguageModelLoss loss =
        new LanguageModelLoss(model, trained, LanguageModelLoss.Options.EVALUATION);
    Gradients gradients =
        Tape.gradients(
            scope,
            trained.parameters().values(),
            tape -> loss.of(tape, batch, 0, 1.0 / batch.targetCount()).total());
    if (!lossKey.isEmpty()) {
      assertThat(gradients.value().item())
          .isCloseTo(
              Parity.doubles(expected, lossKey)[0], org.assertj.core.data.Offset.offset(2e-6));
    }
    trained
        .parameters()
        .forEach((key, parameter) -> {
          Tensor gradient = gradients.of(parameter);
          assertThat(gradient).as(key).isNotNull();
          try {
            assertThat(
                    Parity.distance(
                        Parity.doubles(gradient), Parity.doubles(expected, "grad." + key)))
                .as(key)
                .isLessThan(1e-4);
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        });
  }

  @ParameterizedTest
  @CsvSource({
    "llama,default",
    "llama,all-linear",
    "llama,rslora",
    "gpt2,default",
    "gpt2,dora",
    "llama,dora-rslora-patterns",
    "llama,adalora",
    "llama,save-head"
  })
  void savedAdapterIsReadBackEqual(String name, String variant, @TempDir Path directory)
      throws IOException {
    Path source = Parity.model(name).resolve("adapters").resolve(variant);
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, source);
      adapter.save(directory.resolve("a"));
      adapter.save(directory.resolve("b"));
      assertThat(directory.resolve("a/adapter_model.safetensors"))
          .hasSameBinaryContentAs(directory.resolve("b/adapter_model.safetensors"));
      LoraAdapter again = LoraAdapter.load(scope, model, directory.resolve("a"));
      adapter
          .parameters()
          .forEach((key, tensor) ->
              assertThat(requireNonNull(again.parameters().get(key)).toFloats())
                  .as(key)
                  .containsExactly(tensor.toFloats()));
      assertThat(again.match().config()).isEqualTo(adapter.match().config());
    }
  }
}
