package dev.gatun.models.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.WeightForm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The demo model with its weights in each form; the fixtures' models are too small to be packed.
class FrozenWeightsTest {
  private static final Path DEMO = Path.of("..", "demo", "model");
  private static final int[] IDS = new Random(3).ints(40, 2, 4000).toArray();

  private final long live = NativeMemory.liveTensors();

  @AfterEach
  void nothingIsLeft() {
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
  }

  private static float[] logits(DType dtype, WeightForm form) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(DEMO).open(Device.CPU, dtype, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.open(Device.CPU)) {
      PassAddition weights = new FrozenWeights(scope, model, form).beside(PassAddition.NONE);
      ForwardPass.Builder pass = ForwardPass.of(scope, model, IDS, 0, 8, IDS.length);
      ForwardPass built = weights.join(pass, IDS.length).build();
      return Layout.to(
              scope, model.logits(scope, model.hidden(scope, built, false), built), DType.F32)
          .toFloats();
    }
  }

  @Test
  void packedWeightsGiveTheSameLogits() throws IOException {
    near(logits(DType.F32, WeightForm.PACKED), logits(DType.F32, WeightForm.STORED), 1e-4f);
    near(logits(DType.BF16, WeightForm.PACKED), logits(DType.F32, WeightForm.STORED), 0.25f);
  }

  @Test
  void integersGiveNearlyTheSameDistributions() throws IOException {
    float[] exact = logits(DType.F32, WeightForm.STORED);
    float[] rounded = logits(DType.F32, WeightForm.INT8);
    assertThat(rounded).isNotEqualTo(exact);
    int width = exact.length / IDS.length;
    double divergence = 0;
    for (int row = 0; row < IDS.length; row++) {
      double[] p = logSoftmax(exact, row, width);
      double[] q = logSoftmax(rounded, row, width);
      for (int i = 0; i < width; i++) {
        divergence += Math.exp(p[i]) * (p[i] - q[i]) / IDS.length;
      }
    }
    assertThat(divergence).isBetween(1e-7, 2e-3);
  }

  private static double[] logSoftmax(float[] logits, int row, int width) {
    double[] result = new double[width];
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < width; i++) {
      result[i] = logits[row * width + i];
      most = Math.max(most, result[i]);
    }
    double sum = 0;
    for (double value : result) {
      sum += Math.exp(value - most);
    }
    for (int i = 0; i < width; i++) {
      result[i] -= most + Math.log(sum);
    }
    return result;
  }

  private static void near(float[] found, float[] expected, float tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("logit %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }
}
