package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.SequenceMask;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The kernel that draws its mask, beside the host in f64 with a mask in memory: results, gradients
/// and bits.
@Tag("gpu")
@ExtendWith(LeakCheck.class)
class DrawnMaskAttentionTest {
  private static final int[] OFFSETS = {0, 70, 71, 300};
  private static final int TOKENS = 300;
  private static final int HEADS = 4;

  @ParameterizedTest
  @CsvSource({
    "BF16, 64, true, 0.2", "BF16, 64, false, 0.2", "BF16, 128, true, 0.2",
    "F16, 128, false, 0.2", "BF16, 64, true, 0", "BF16, 64, false, 0.99"
  })
  void equalsTheHost(DType dtype, int size, boolean causal, double rate) {
    boolean onGpu = TestDevice.DEVICE.isCuda() && !Boolean.getBoolean("gatun.cuda.simulated");
    assumeThat(onGpu).as("a GPU").isTrue();
    double[][] found = run(TestDevice.DEVICE, dtype, size, causal, rate);
    double[][] expected = run(Device.CPU, dtype, size, causal, rate);
    String[] names = {"output", "dq", "dk", "dv"};
    for (int i = 0; i < names.length; i++) {
      assertThat(distance(found[i], expected[i]))
          .as(names[i])
          .isLessThan(dtype == DType.F16 ? 2e-3 : 1e-2);
    }
  }

  /// Returns the output and the gradients of q, k and v; on the host all is computed in f64 from
  /// values rounded to the type.
  private static double[][] run(Device device, DType dtype, int size, boolean causal, double rate) {
    try (Scope scope = Scope.open(device)) {
      Tensor q = random(scope, 1, dtype, HEADS, size);
      Tensor k = random(scope, 2, dtype, 2, size);
      Tensor v = random(scope, 3, dtype, 2, size);
      Tensor flow = random(scope, 4, dtype, HEADS, size);
      MaskStream stream = new MaskStream(7, 3, 5, MaskStream.Site.KEY, 1, 0);
      float none = Float.NEGATIVE_INFINITY;
      List<SequenceMask> masks =
          List.of(
              new SequenceMask(stream, 9, rate, SequenceMask.Shape.COLUMN, 0, none),
              new SequenceMask(stream, 10, rate, SequenceMask.Shape.COLUMN, 0, none),
              new SequenceMask(stream, 11, rate / 2, SequenceMask.Shape.COLUMN, 0, none));
      Tensor[] output = new Tensor[1];
      Gradients gradients =
          Tape.gradients(
              scope,
              List.of(q, k, v),
              s -> {
                AttentionMask mask = new AttentionMask(Ragged.of(s, OFFSETS), masks, HEADS, causal);
                Tensor out = Attention.dropKey(s, q, k, v, mask, 0.125);
                output[0] = scope.keep(out);
                return Reduce.sum(s, Elementwise.mul(s, out, flow));
              });
      return new double[][] {
        doubles(output[0]),
        doubles(Objects.requireNonNull(gradients.of(q))),
        doubles(Objects.requireNonNull(gradients.of(k))),
        doubles(Objects.requireNonNull(gradients.of(v)))
      };
    }
  }

  private static Tensor random(Scope scope, int seed, DType dtype, int heads, int size) {
    Random random = new Random(seed);
    float[] values = new float[TOKENS * heads * size];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Tensor narrow = Layout.to(scope, scope.of(values, TOKENS, heads, size), dtype);
    return scope.device().isCuda() ? narrow : Layout.to(scope, narrow, DType.F64);
  }

  private static double[] doubles(Tensor tensor) {
    try (Scope host = Scope.open()) {
      return Layout.to(host, tensor, DType.F64).toDoubles();
    }
  }

  private static double distance(double[] found, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < found.length; i++) {
      difference += (found[i] - expected[i]) * (found[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }
}
