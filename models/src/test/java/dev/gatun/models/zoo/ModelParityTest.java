package dev.gatun.models.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits of every architecture against transformers, each sequence alone and all in one ragged
/// batch.
class ModelParityTest {
  private static final int CASES = 3;

  static List<String> architectures() {
    return Parity.architectures();
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void logitsEqualThoseOfTransformers(String name) throws IOException {
    SafetensorsFile cases = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      for (int i = 0; i < CASES; i++) {
        int[] ids = Parity.ints(cases, "ids." + i);
        Tensor logits = Parity.logits(scope, model, PassAddition.NONE, ids);
        assertThat(Parity.distance(Parity.doubles(logits), Parity.doubles(cases, "logits64." + i)))
            .as("case %d", i)
            .isLessThan(1e-5);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama3", "mistral", "qwen3"})
  void raggedBatchEqualsEachSequenceAlone(String name) throws IOException {
    SafetensorsFile cases = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    int[][] sequences = new int[CASES][];
    int[] offsets = new int[CASES + 1];
    for (int i = 0; i < CASES; i++) {
      sequences[i] = Parity.ints(cases, "ids." + i);
      offsets[i + 1] = offsets[i] + sequences[i].length;
    }
    int[] all = java.util.Arrays.stream(sequences).flatMapToInt(java.util.Arrays::stream).toArray();
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      ForwardPass pass = ForwardPass.of(scope, model, all, offsets).build();
      Tensor logits = model.logits(scope, model.hidden(scope, pass, false), pass);
      for (int i = 0; i < CASES; i++) {
        Tensor own = Layout.narrow(scope, logits, 0, offsets[i], sequences[i].length);
        assertThat(Parity.distance(Parity.doubles(own), Parity.doubles(cases, "logits64." + i)))
            .as("case %d", i)
            .isLessThan(1e-5);
      }
    }
  }
}
