package dev.gatun.models.dropout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every combination of position, pattern, rescaling, depth and extra loss trains or is refused.
class DropoutCombinationsTest {
  private static final double STEP = 1e-5;

  /// The table in [Mask], counted by hand.
  private static final int LEGAL = 3 + 3 * 4 + 3 * 3 * 2 + 2 + 1;

  private static List<Mask> legal(Depth depth) {
    List<Mask> masks = new ArrayList<>();
    for (Position position : Position.values()) {
      for (Pattern pattern : Pattern.values()) {
        for (Rescaling rescaling : Rescaling.values()) {
          try {
            masks.add(new Mask(position, pattern, 0.2, depth, rescaling));
          } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageMatching("[a-z]+: found [a-z-]+, expected .+");
          }
        }
      }
    }
    return masks;
  }

  @Test
  void theTableOfMasksIsWhatIsAccepted() {
    assertThat(legal(Depth.CONSTANT)).hasSize(LEGAL);
    assertThat(legal(Depth.FALLING)).hasSize(3 + 3 * 4 + 3 * 2);
  }

  static Stream<Dropout> methods() {
    List<Dropout> methods = new ArrayList<>();
    for (Mask mask : legal(Depth.CONSTANT)) {
      methods.add(Dropout.of(mask));
    }
    methods.add(
        Dropout.of(new Mask(Position.KEY, Pattern.ELEMENT, 0.3, Depth.FALLING, Rescaling.NONE)));
    Dropout all =
        Dropout.of(
            Mask.of(Position.KEY, 0.1),
            new Mask(Position.WEIGHT, Pattern.COLUMN, 0.1, Depth.CONSTANT, Rescaling.NORMALISED),
            Mask.of(Position.HIDDEN, 0.1),
            Mask.of(Position.INPUT, 0.1),
            Mask.of(Position.OUTPUT, 0.1),
            Mask.of(Position.ADAPTER, 0.1));
    methods.add(all);
    methods.add(all.withLayers(Dropout.Layers.ALL).withInstances(2));
    methods.add(all.withAgreement(Agreement.KL, 0.5).withBothBranches(true));
    return methods.stream();
  }

  /// A constant normaliser has no derivative to compare with: `WeightedAttentionTest` has its own
  /// oracle. So has a second branch that is taken as constant: `HiddenKeyGradientTest`.
  private static boolean isDerivative(Dropout method) {
    return method.masks().stream().noneMatch(m -> m.rescaling() == Rescaling.NORMALISED_CONSTANT);
  }

  @ParameterizedTest
  @MethodSource("methods")
  void gradientsAreDerivatives(Dropout method) throws IOException {
    Batch batch = Batch.of(Parity.examples("llama").subList(0, 2), 0);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F64)) {
      LanguageModelLoss loss = adapted.loss(method, 5, false);
      Map<String, double[]> gradients =
          adapted.gradients(scope -> loss.of(scope, batch, 3, 1).total());
      double along = 0;
      Map<String, double[]> direction = new java.util.HashMap<>();
      Random random = new Random(1);
      for (Map.Entry<String, double[]> each : gradients.entrySet()) {
        double[] step = random.doubles(each.getValue().length).map(u -> u - 0.5).toArray();
        direction.put(each.getKey(), step);
        for (int i = 0; i < step.length; i++) {
          along += step[i] * each.getValue()[i];
        }
      }
      assertThat(along).isFinite().isNotZero();
      if (isDerivative(method)) {
        double difference =
            (moved(adapted, loss, batch, direction, STEP)
                    - moved(adapted, loss, batch, direction, -STEP))
                / (2 * STEP);
        assertThat(along).isCloseTo(difference, within(1e-6 * Math.max(1, Math.abs(along))));
      }
      assertThat(total(adapted.loss(Dropout.NONE, 5, false), batch))
          .isNotEqualTo(total(loss, batch));
    }
  }

  private static double moved(
      AdaptedModel adapted,
      LanguageModelLoss loss,
      Batch batch,
      Map<String, double[]> direction,
      double step) {
    add(adapted, direction, step);
    double value = total(loss, batch);
    add(adapted, direction, -step);
    return value;
  }

  private static void add(AdaptedModel adapted, Map<String, double[]> direction, double step) {
    adapted
        .adapter()
        .parameters()
        .forEach((name, tensor) -> {
          double[] by = direction.get(name);
          double[] values = tensor.toDoubles();
          for (int i = 0; i < by.length; i++) {
            values[i] += step * by[i];
          }
          try (Scope scope = TestDevice.open()) {
            Layout.copyInPlace(tensor, scope.of(values, tensor.shape()));
          }
        });
  }

  private static double total(LanguageModelLoss loss, Batch batch) {
    try (Scope scope = TestDevice.open()) {
      return loss.of(scope, batch, 3, 1).total().item();
    }
  }

  /// Sequences of 1 to 4 tokens of different lengths in one batch: no row is left without a key.
  @ParameterizedTest
  @MethodSource("methods")
  void shortSequencesGiveNumbers(Dropout method) throws IOException {
    List<Example> rows = new ArrayList<>();
    for (int length = 2; length <= 5; length++) { // the last token predicts nothing
      int[] ids = new Random(length).ints(length, 0, 50).toArray();
      rows.add(new Example(rows.size(), rows.size(), ids, null));
    }
    Batch batch = Batch.of(rows, 0);
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      for (int step = 0; step < 5; step++) {
        LanguageModelLoss loss = adapted.loss(method, step, false);
        assertThat(total(loss, batch)).isFinite();
        adapted
            .gradients(scope -> loss.of(scope, batch, 3, 1).total())
            .forEach((name, gradient) -> assertThat(gradient).as(name).doesNotContain(Double.NaN));
      }
    }
  }

  @Test
  void contradictionsAreRefused() {
    assertThatThrownBy(() -> Dropout.of(Mask.of(Position.KEY, 0.1), Mask.of(Position.KEY, 0.2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dropout: found two masks for KEY, expected one");
    assertThatThrownBy(() ->
            Dropout.hiddenKey(0.1, 0.1, 1).withBothBranches(true).withAgreement(Agreement.JS, 1))
        .hasMessageContaining("found JS, expected KL");
    for (int count : new int[] {0, -1, 101}) {
      assertThatThrownBy(() -> Dropout.loraDropout(0.1, count))
          .hasMessage("instances: found " + count + ", expected 1 to 100");
    }
  }
}
