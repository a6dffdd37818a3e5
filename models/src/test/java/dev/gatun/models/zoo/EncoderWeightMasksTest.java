package dev.gatun.models.zoo;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TaskCases;
import dev.gatun.models.TestDevice;
import dev.gatun.models.dropout.Depth;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Pattern;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.dropout.Rescaling;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// DropAttention in encoders, whose attention is plain (RoBERTa) or disentangled (DeBERTa).
class EncoderWeightMasksTest {
  private static final double STEP = 1e-5;

  private static Dropout method(Pattern pattern, Rescaling rescaling) {
    return Dropout.of(new Mask(Position.WEIGHT, pattern, 0.3, Depth.CONSTANT, rescaling))
        .withLayers(Dropout.Layers.ALL);
  }

  static Stream<Arguments> methods() {
    return Stream.of("roberta", "deberta-v3", "deberta-c2p", "deberta-p2c", "deberta-qa")
        .flatMap(name ->
            Arrays.stream(Pattern.values())
                .flatMap(pattern ->
                    Arrays.stream(Rescaling.values())
                        .map(rescaling -> Arguments.of(name, pattern, rescaling))));
  }

  /// The masks of all sequences of a batch, or of one.
  private static DropoutMasks masks(Dropout dropout, TaskModel model, int... rows) {
    return new DropoutMasks(
        Arrays.stream(rows)
            .mapToObj(row -> new DropoutMasks.Source(dropout, 7, 3, 0, row))
            .toList(),
        model.layers());
  }

  @ParameterizedTest
  @MethodSource("methods")
  void gradientsAreDerivatives(String name, Pattern pattern, Rescaling rescaling)
      throws IOException {
    TaskCases cases = TaskCases.read(name);
    Dropout dropout = method(pattern, rescaling);
    try (TaskModel model = cases.open(DType.F64, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter =
          LoraAdapter.load(scope, model, Parity.model(name).resolve("adapters/all-linear"));
      double plain = loss(cases, model, adapter, Dropout.NONE);
      double masked = loss(cases, model, adapter, dropout);
      assertThat(masked).isFinite().isNotEqualTo(plain);
      if (rescaling == Rescaling.NORMALISED_CONSTANT) { // its gradient is no derivative
        assertThat(masked)
            .isEqualTo(loss(cases, model, adapter, method(pattern, Rescaling.NORMALISED)));
        return;
      }
      Map<String, double[]> direction = new HashMap<>();
      double along = 0;
      Random random = new Random(1);
      try (Scope owner = TestDevice.open()) {
        ForwardPass pass =
            cases.pass(owner, model, adapter).withMasks(masks(dropout, model, 0, 1, 2));
        Gradients gradients =
            Tape.gradients(
                owner,
                adapter.parameters().values(),
                tape -> cases.loss(tape, model.outputs(tape, pass, false), pass.batch()));
        for (Map.Entry<String, Tensor> each : adapter.parameters().entrySet()) {
          Tensor gradient = gradients.of(each.getValue());
          double[] step = random.doubles(each.getValue().elements()).map(u -> u - 0.5).toArray();
          direction.put(each.getKey(), step);
          double[] values = gradient == null ? new double[step.length] : Parity.doubles(gradient);
          for (int i = 0; i < step.length; i++) {
            along += step[i] * values[i];
          }
        }
      }
      assertThat(along).isNotZero();
      add(adapter, direction, STEP);
      double above = loss(cases, model, adapter, dropout);
      add(adapter, direction, -2 * STEP);
      double below = loss(cases, model, adapter, dropout);
      assertThat(along)
          .isCloseTo((above - below) / (2 * STEP), within(1e-6 * Math.max(1, Math.abs(along))));
    }
  }

  private static double loss(
      TaskCases cases, TaskModel model, LoraAdapter adapter, Dropout dropout) {
    try (Scope scope = TestDevice.open()) {
      ForwardPass pass =
          cases.pass(scope, model, adapter).withMasks(masks(dropout, model, 0, 1, 2));
      return cases.loss(scope, model.outputs(scope, pass, false), pass.batch()).item();
    }
  }

  private static void add(LoraAdapter adapter, Map<String, double[]> direction, double step) {
    adapter
        .parameters()
        .forEach((name, tensor) -> {
          double[] by = requireNonNull(direction.get(name));
          double[] values = tensor.toDoubles();
          for (int i = 0; i < by.length; i++) {
            TestDevice.set(tensor, i, values[i] + step * by[i]);
          }
        });
  }

  /// Padding at the edge of a batch neither moves masks nor takes part in a sum.
  @ParameterizedTest
  @EnumSource(Pattern.class)
  void sequencesOfABatchAreThoseAlone(Pattern pattern) throws IOException {
    for (String name : List.of("roberta", "deberta-v3", "deberta-qa")) {
      TaskCases cases = TaskCases.read(name);
      Dropout dropout = method(pattern, Rescaling.NORMALISED_CONSTANT);
      try (TaskModel model = cases.open(DType.F64, Use.FROZEN);
          Scope scope = TestDevice.open()) {
        ForwardPass pass = cases.pass(scope, model, PassAddition.NONE);
        Tensor together =
            model.outputs(scope, pass.withMasks(masks(dropout, model, 0, 1, 2)), false);
        for (int i = 0; i < 3; i++) {
          int[] ids = cases.ids(i);
          ForwardPass alone =
              ForwardPass.of(scope, model, ids, 0, ids.length)
                  .masks(masks(dropout, model, i))
                  .build();
          assertThat(Parity.doubles(cases.of(scope, model, together, i)))
              .containsExactly(Parity.doubles(model.outputs(scope, alone, false)), within(1e-12));
        }
      }
    }
  }
}
