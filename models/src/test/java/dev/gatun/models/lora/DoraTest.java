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
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Position;
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
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
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
  @CsvSource({
    "gpt2,dora,0",
    "gpt2,dora,0.3",
    "llama,dora,0",
    "llama,dora,0.3",
    "llama,dora-rslora-patterns,0",
    "llama-bias,dora,0.3"
  })
  void gradientsEqualFiniteDifferencesWithTheNormsHeld(
      String name, String variant, double branchRate) throws IOException {
    assumeThat(TestDevice.DEVICE).isEqualTo(Device.CPU);
    Batch batch = Batch.of(Parity.examples(name), 0);
    try (AdaptedModel adapted = AdaptedModel.open(name, variant, DType.F64)) {
      LanguageModelLoss loss =
          adapted.loss(Dropout.of(Mask.of(Position.BRANCH, branchRate)), 0, false);
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

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-bias"})
  void droppedInputsOfTheBranchAreThoseOfPeft(String name) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    SafetensorsFile expected =
        Parity.open(Parity.model(name).resolve("adapters/dora/dropout.safetensors"));
    for (DType compute : List.of(DType.F64, DType.F32)) {
      try (AdaptedModel adapted = AdaptedModel.open(name, "dora", compute);
          Scope scope = TestDevice.open()) {
        LanguageModelLoss loss = adapted.loss(Dropout.of(Mask.of(Position.BRANCH, 0.25)), 5, false);
        double scale = 1.0 / batch.targetCount();
        // a GPU's attention makes a product of f32 out of three of TF32
        double narrow = TestDevice.DEVICE.isCuda() ? 2e-5 : 1e-5;
        double tolerance = compute == DType.F64 ? 1e-6 : narrow;
        assertThat(loss.of(scope, batch, 3, scale).total().item())
            .isCloseTo(Parity.doubles(expected, "loss.all")[0], within(tolerance));
        Map<String, double[]> gradients =
            adapted.gradients(tape -> loss.of(tape, batch, 3, scale).total());
        assertThat(gradients).hasSize(expected.tensors().size() - 1);
        for (Map.Entry<String, double[]> each : gradients.entrySet()) {
          double[] reference = Parity.doubles(expected, "grad." + each.getKey());
          double largest = Arrays.stream(reference).map(Math::abs).max().orElseThrow();
          assertThat(each.getValue())
              .as(each.getKey())
              .containsExactly(reference, within(tolerance * Math.max(largest, 0.01)));
        }
      }
    }
  }

  /// Masks of A and B are the same as an adapter whose A and B have those columns and rows at 0,
  /// norms included; the gradients of what stays are that adapter's.
  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama-bias"})
  void masksOfTheAdapterMaskTheChangeBeforeTheNorms(String name) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    Dropout dropout = Dropout.loraDropout(0.3, 1);
    try (AdaptedModel adapted = AdaptedModel.open(name, "dora", DType.F64);
        Scope scope = TestDevice.open()) {
      LanguageModelLoss masked = adapted.loss(dropout, 5, false);
      double loss = masked.of(scope, batch, 3, 0.1).total().item();
      Map<String, double[]> gradients =
          adapted.gradients(tape -> masked.of(tape, batch, 3, 0.1).total());
      Map<String, double[]> factors = new HashMap<>();
      DropoutMasks.Source source = new DropoutMasks.Source(dropout, 5, 3, 0, 0);
      for (Linear linear : adapted.model().linears()) {
        int inputs = (int) linear.inputs();
        int outputs = (int) linear.outputs();
        float[][] drawn = requireNonNull(source.adapter(linear.index(), inputs, outputs));
        String prefix = "base_model.model." + linear.path();
        factors.put(prefix + ".lora_A.weight", spread(drawn[0], 1, 4));
        factors.put(prefix + ".lora_B.weight", spread(drawn[1], 4, 1));
      }
      factors.forEach((key, by) -> {
        Tensor tensor = requireNonNull(adapted.adapter().parameters().get(key));
        Layout.copyInPlace(tensor, Elementwise.mul(scope, tensor, scope.of(by, tensor.shape())));
      });
      LanguageModelLoss plain = adapted.loss(Dropout.NONE, 5, false);
      assertThat(loss).isCloseTo(plain.of(scope, batch, 3, 0.1).total().item(), within(1e-12));
      adapted
          .gradients(tape -> plain.of(tape, batch, 3, 0.1).total())
          .forEach((key, whole) -> {
            double[] by = factors.get(key);
            for (int i = 0; by != null && i < whole.length; i++) {
              whole[i] *= by[i];
            }
            assertThat(requireNonNull(gradients.get(key)))
                .as(key)
                .containsExactly(whole, within(1e-12));
          });
    }
  }

  /// Repeats each factor, and all of them.
  private static double[] spread(float[] factors, int each, int all) {
    double[] values = new double[each * all * factors.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = factors[i / each % factors.length];
    }
    return values;
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
