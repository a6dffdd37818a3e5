package dev.gatun.models.lora;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// DoRA beside what [LoraParityTest] and [LoraMergeTest] check of every adapter.
class DoraTest {
  private static final LoraConfig DORA =
      LoraConfig.of(4, 8, new TargetModules.AllLinear()).withVariant(new LoraVariant.Dora());

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-bias", "qwen2"})
  void newAdapterChangesNothingYet(String name) throws IOException {
    int[] ids = Parity.examples(name).getLast().ids();
    try (CausalLm model =
            ModelDirectory.read(Parity.model(name))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.create(scope, model, DORA, 1);
      // the bias comes after the branch, which rounds otherwise
      assertThat(
              Parity.distance(
                  Parity.doubles(Parity.logits(scope, model, adapter, ids)),
                  Parity.doubles(Parity.logits(scope, model, PassAddition.NONE, ids))))
          .isLessThan(1e-6);
      long expected =
          model.linears().stream()
              .mapToLong(l -> 4 * (l.inputs() + l.outputs()) + l.outputs())
              .sum();
      assertThat(adapter.parameters().values().stream().mapToLong(Tensor::elements).sum())
          .isEqualTo(expected);
    }
  }

  /// Writing into a segment is no operation, so that the norms stay: constants, as in the gradient.
  @ParameterizedTest
  @CsvSource({"gpt2,dora", "llama,dora", "llama,dora-rslora-patterns", "llama-bias,dora"})
  void gradientsEqualFiniteDifferencesWithTheNormsHeld(String name, String variant)
      throws IOException {
    assumeThat(TestDevice.DEVICE).isEqualTo(Device.CPU);
    Batch batch = Batch.of(Parity.examples(name), 0);
    try (AdaptedModel adapted = AdaptedModel.open(name, variant, DType.F64)) {
      LanguageModelLoss loss = adapted.loss(Dropout.NONE, 0, false);
      Map<String, double[]> gradients =
          adapted.gradients(tape -> loss.of(tape, batch, 0, 0.1).total());
      adapted
          .adapter()
          .parameters()
          .forEach((key, tensor) -> {
            double[] found = requireNonNull(gradients.get(key));
            for (int at : new int[] {0, found.length / 2, found.length - 1}) {
              double value = tensor.toDoubles()[at];
              double above = moved(adapted, loss, batch, tensor, at, value + 1e-5);
              double below = moved(adapted, loss, batch, tensor, at, value - 1e-5);
              tensor.segment().setAtIndex(ValueLayout.JAVA_DOUBLE, at, value);
              assertThat(found[at])
                  .as("%s %d", key, at)
                  .isCloseTo((above - below) / 2e-5, within(1e-7));
            }
          });
      assertThat(gradients.keySet().stream().filter(key -> key.endsWith("magnitude_vector")))
          .isNotEmpty();
    }
  }

  private static double moved(
      AdaptedModel adapted,
      LanguageModelLoss loss,
      Batch batch,
      Tensor tensor,
      int at,
      double value) {
    tensor.segment().setAtIndex(ValueLayout.JAVA_DOUBLE, at, value);
    try (Scope scope = TestDevice.open()) {
      return loss.of(scope, batch, 0, 0.1).total().item();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void rowsOfMergedWeightsHaveTheirMagnitudesAsLengths(String name) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open(name, "dora", DType.F32);
        Scope scope = TestDevice.open()) {
      // once more after the matrices changed: the norms are not those from before
      for (int round = 0; round < 2; round++) {
        Map<String, Tensor> merged = adapted.adapter().merged(scope, adapted.model());
        for (Linear linear : adapted.model().linears()) {
          double[] lengths = lengths(merged.get(linear.weight().name()), linear);
          String prefix = "base_model.model." + linear.path();
          double[] magnitude =
              Parity.doubles(adapted.adapter().parameters().get(prefix + ".lora_magnitude_vector"));
          for (int i = 0; i < lengths.length; i++) {
            assertThat(lengths[i]).as(prefix).isCloseTo(Math.abs(magnitude[i]), within(1e-5));
          }
        }
        adapted
            .adapter()
            .parameters()
            .forEach((key, tensor) -> {
              if (key.endsWith("lora_B.weight")) {
                Layout.copyInPlace(tensor, scope.full(0.3, DType.F32, tensor.shape()));
              }
            });
      }
    }
  }

  private static double[] lengths(Tensor weight, Linear linear) {
    double[] values = Parity.doubles(weight);
    int outputs = (int) linear.outputs();
    int inputs = (int) linear.inputs();
    double[] lengths = new double[outputs];
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i++) {
        lengths[o] += Math.pow(values[linear.transposed() ? i * outputs + o : o * inputs + i], 2);
      }
      lengths[o] = Math.sqrt(lengths[o]);
    }
    return lengths;
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void rowsOfABatchGoThroughTheirOwnAdapters(String name) throws IOException {
    List<Example> examples = Parity.examples(name);
    Batch batch = Batch.of(examples, 0);
    int[] ends = batch.offsets();
    try (AdaptedModel dora = AdaptedModel.open(name, "dora", DType.F32);
        Scope scope = TestDevice.open()) {
      CausalLm model = dora.model();
      LoraAdapter lora =
          LoraAdapter.load(scope, model, Parity.model(name).resolve("adapters/all-linear"));
      PassAddition mixed =
          (pass, tokens) ->
              pass.segments(
                  List.of(
                      new AdapterSegment(0, ends[1], dora.adapter().layers(pass.owner())),
                      new AdapterSegment(ends[2], ends[3], lora.layers(pass.owner()))));
      ForwardPass pass =
          mixed.join(ForwardPass.of(scope, model, batch.ids(), ends), batch.tokens()).build();
      double[] found = Parity.doubles(model.logits(scope, model.hidden(scope, pass, false), pass));
      List<PassAddition> additions = List.of(dora.adapter(), PassAddition.NONE, lora);
      for (int i = 0; i < 3; i++) {
        double[] alone =
            Parity.doubles(Parity.logits(scope, model, additions.get(i), examples.get(i).ids()));
        double[] own =
            Arrays.copyOfRange(
                found, ends[i] * model.vocabulary(), ends[i + 1] * model.vocabulary());
        assertThat(Parity.distance(own, alone)).as("row %d", i).isLessThan(1e-5);
      }
    }
  }

  @Test
  void bf16ComputeIsNearF32() throws IOException {
    int[] ids = Parity.examples("llama").getLast().ids();
    try (AdaptedModel wide = AdaptedModel.open("llama", "dora", DType.F32);
        AdaptedModel narrow = AdaptedModel.open("llama", "dora", DType.BF16);
        Scope scope = TestDevice.open()) {
      assertThat(
              Parity.distance(
                  Parity.doubles(Parity.logits(scope, narrow.model(), narrow.adapter(), ids)),
                  Parity.doubles(Parity.logits(scope, wide.model(), wide.adapter(), ids))))
          .isBetween(1e-4, 0.05);
    }
  }
}
