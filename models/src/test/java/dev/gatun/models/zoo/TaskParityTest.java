package dev.gatun.models.zoo;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TaskCases;
import dev.gatun.models.TestDevice;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.train.FullWeights;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Encoders and decoders with heads against transformers and peft: outputs, losses, gradients.
class TaskParityTest {
  static List<String> models() {
    return TaskCases.NAMES;
  }

  static Stream<Arguments> adapters() {
    return models().stream()
        .flatMap(name -> Stream.of("default", "all-linear").map(a -> Arguments.of(name, a)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void outputsOfEachSequenceEqualThoseOfTransformers(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    try (TaskModel model = cases.open(DType.F32, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      assertThat(model.fresh()).isEmpty();
      for (int i = 0; i < cases.sequences(); i++) {
        ForwardPass pass =
            ForwardPass.of(scope, model, cases.ids(i), 0, cases.ids(i).length).build();
        Tensor outputs = model.outputs(scope, pass, false);
        assertThat(Parity.distance(Parity.doubles(outputs), cases.expected("outputs64." + i)))
            .as("sequence %d", i)
            .isLessThan(1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void raggedBatchEqualsEachSequenceAlone(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    try (TaskModel model = cases.open(DType.F32, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      Tensor outputs = model.outputs(scope, cases.pass(scope, model, PassAddition.NONE), false);
      for (int i = 0; i < cases.sequences(); i++) {
        assertThat(
                Parity.distance(
                    Parity.doubles(cases.of(scope, model, outputs, i)),
                    cases.expected("outputs64." + i)))
            .as("sequence %d", i)
            .isLessThan(1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void lossAndGradientsOfAllWeightsEqualThoseOfTransformers(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    SafetensorsFile expected = Parity.open(Parity.model(name).resolve("full.safetensors"));
    for (DType compute : List.of(DType.F32, DType.F64)) {
      try (TaskModel model = cases.open(compute, Use.TRAINED);
          Scope scope = TestDevice.open()) {
        Trained all = new FullWeights(ModelDirectory.read(Parity.model(name)), model);
        assertThat(all.parameters()).hasSameSizeAs(expected.tensors());
        double tolerance = compute == DType.F64 ? 1e-6 : 1e-5;
        for (boolean checkpoint : new boolean[] {false, true}) {
          double loss = gradients(scope, cases, model, all, expected, checkpoint, tolerance);
          assertThat(loss).isCloseTo(cases.expected("loss64")[0], within(tolerance));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void adapterOfPeftGivesItsOutputsLossAndGradients(String name, String variant)
      throws IOException {
    TaskCases cases = TaskCases.read(name);
    Path directory = Parity.model(name).resolve("adapters").resolve(variant);
    SafetensorsFile expected = Parity.open(directory.resolve("expected.safetensors"));
    try (TaskModel model = cases.open(DType.F32, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, directory);
      Tensor outputs = model.outputs(scope, cases.pass(scope, model, adapter), false);
      for (int i = 0; i < cases.sequences(); i++) {
        assertThat(
                Parity.distance(
                    Parity.doubles(cases.of(scope, model, outputs, i)),
                    Parity.doubles(expected, "outputs." + i)))
            .as("sequence %d", i)
            .isLessThan(1e-5);
      }
      double loss = gradients(scope, cases, model, adapter, expected, false, 1e-5);
      assertThat(loss).isCloseTo(Parity.doubles(expected, "loss")[0], within(1e-5));
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void savedAdapterIsReadBackEqual(String name, String variant, @TempDir Path directory)
      throws IOException {
    Path source = Parity.model(name).resolve("adapters").resolve(variant);
    try (TaskModel model = TaskCases.read(name).open(DType.F32, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, source);
      adapter.save(directory);
      assertThat(directory.resolve("adapter_model.safetensors")).isRegularFile();
      LoraAdapter again = LoraAdapter.load(scope, model, directory);
      assertThat(again.match().config()).isEqualTo(adapter.match().config());
      assertThat(again.parameters().keySet()).isEqualTo(adapter.parameters().keySet());
      adapter
          .parameters()
          .forEach((key, tensor) ->
              assertThat(requireNonNull(again.parameters().get(key)).toFloats())
                  .as(key)
                  .containsExactly(tensor.toFloats()));
    }
  }

  private static DropoutMasks masks(Dropout dropout, TaskModel model, int... rows) {
    return new DropoutMasks(
        Arrays.stream(rows)
            .mapToObj(row -> new DropoutMasks.Source(dropout, 7, 3, 0, row))
            .toList(),
        model.layers());
  }

  /// Masks are drawn by sequence, so padding at the kernel's edge must not move them.
  @ParameterizedTest
  @ValueSource(strings = {"roberta", "deberta-v3", "deberta-qa"})
  void masksOfARaggedBatchAreThoseOfEachSequence(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    Dropout dropout = Dropout.hiddenKeyMinus(0.3, 0.2).withLayers(Dropout.Layers.ALL);
    try (TaskModel model = cases.open(DType.F64, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      int[] rows = {0, 1, 2};
      DropoutMasks masks = masks(dropout, model, rows);
      ForwardPass pass = cases.pass(scope, model, PassAddition.NONE);
      Tensor plain = model.outputs(scope, pass, false);
      Tensor together = model.outputs(scope, pass.withMasks(masks), false);
      for (int i = 0; i < 3; i++) {
        DropoutMasks own = masks(dropout, model, i);
        ForwardPass alone =
            ForwardPass.of(scope, model, cases.ids(i), 0, cases.ids(i).length).masks(own).build();
        double[] found = Parity.doubles(cases.of(scope, model, together, i));
        assertThat(found)
            .containsExactly(Parity.doubles(model.outputs(scope, alone, false)), within(1e-12));
        assertThat(Parity.distance(found, Parity.doubles(cases.of(scope, model, plain, i))))
            .isGreaterThan(1e-3);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "deberta-v3", "gpt2-score"})
  void bf16StaysNear(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    try (TaskModel model = cases.open(DType.BF16, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter =
          LoraAdapter.load(scope, model, Parity.model(name).resolve("adapters/all-linear"));
      SafetensorsFile expected =
          Parity.open(Parity.model(name).resolve("adapters/all-linear/expected.safetensors"));
      Tensor outputs = model.outputs(scope, cases.pass(scope, model, adapter), false);
      assertThat(outputs.dtype()).isEqualTo(DType.BF16);
      double[] wide =
          Stream.of(0, 1, 2)
              .flatMapToDouble(i -> {
                try {
                  return Arrays.stream(Parity.doubles(expected, "outputs." + i));
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              })
              .toArray();
      assertThat(Parity.distance(Parity.doubles(outputs), wide)).isLessThan(5e-2);
    }
  }

  private static double gradients(
      Scope scope,
      TaskCases cases,
      TaskModel model,
      Trained trained,
      SafetensorsFile expected,
      boolean checkpoint,
      double tolerance)
      throws IOException {
    ForwardPass pass = cases.pass(scope, model, trained);
    Gradients gradients =
        Tape.gradients(
            scope,
            trained.parameters().values(),
            tape -> cases.loss(tape, model.outputs(tape, pass, checkpoint), pass.batch()));
    double largest = 0;
    for (String key : trained.parameters().keySet()) {
      largest = Math.max(largest, largest(Parity.doubles(expected, "grad." + key)));
    }
    for (String key : trained.parameters().keySet()) {
      Tensor parameter = requireNonNull(trained.parameters().get(key));
      Tensor gradient = gradients.of(parameter);
      double[] found =
          gradient == null ? new double[(int) parameter.elements()] : Parity.doubles(gradient);
      double[] reference = Parity.doubles(expected, "grad." + key);
      // a key's bias has no influence on a softmax: its gradient is 0 but for rounding
      double bound = tolerance * Math.max(largest(reference), 0.1 * largest);
      assertThat(found).as(key).containsExactly(reference, within(bound));
    }
    return gradients.value().item();
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElse(0);
  }

  @Test
  void eachSequenceGoesThroughItsOwnAdapter() throws IOException {
    TaskCases cases = TaskCases.read("roberta");
    try (TaskModel model = cases.open(DType.F64, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter first = adapter(scope, model, "roberta", "default");
      LoraAdapter second = adapter(scope, model, "roberta", "all-linear");
      Tensor mixed =
          model.outputs(scope, cases.pass(scope, model, split(cases, first, second)), false);
      Tensor ofFirst =
          model.outputs(scope, cases.pass(scope, model, split(cases, first, first)), false);
      Tensor ofSecond =
          model.outputs(scope, cases.pass(scope, model, split(cases, second, second)), false);
      for (int i = 0; i < 3; i++) {
        Tensor wanted = i == 0 ? ofFirst : ofSecond;
        assertThat(Parity.doubles(cases.of(scope, model, mixed, i)))
            .containsExactly(Parity.doubles(cases.of(scope, model, wanted, i)), within(1e-12));
      }
      assertThat(Parity.distance(Parity.doubles(ofFirst), Parity.doubles(ofSecond)))
          .isGreaterThan(1e-2);
    }
  }

  @Test
  void relativePositionsThatAllShareRefuseAnAdapterOfSome() throws IOException {
    TaskCases cases = TaskCases.read("deberta-v3");
    try (TaskModel model = cases.open(DType.F32, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter first = adapter(scope, model, "deberta-v3", "default");
      ForwardPass pass = cases.pass(scope, model, split(cases, first, first));
      assertThatThrownBy(() -> model.outputs(scope, pass, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(
              "query_proj: found an adapter for tokens 0 to 5, expected one for all 44");
    }
  }

  private static LoraAdapter adapter(Scope scope, TaskModel model, String name, String variant)
      throws IOException {
    return LoraAdapter.load(scope, model, Parity.model(name).resolve("adapters").resolve(variant));
  }

  /// The first sequence goes through one adapter, the others through another.
  private static PassAddition split(TaskCases cases, LoraAdapter first, LoraAdapter second) {
    int cut = cases.ids(0).length;
    return (pass, tokens) ->
        pass.segments(
            List.of(
                new AdapterSegment(0, cut, first.layers(pass.owner())),
                new AdapterSegment(cut, tokens, second.layers(pass.owner()))));
  }
}
