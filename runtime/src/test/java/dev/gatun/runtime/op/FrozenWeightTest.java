package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products with weights in each form, against loops.
@ExtendWith(LeakCheck.class)
class FrozenWeightTest {
  /// Form, type, rows, inputs, outputs, whether the weight lies column by column.
  @ParameterizedTest
  @CsvSource({
    "STORED, F32, 5, 64, 300, false",
    "PACKED, F32, 1, 96, 260, false",
    "PACKED, F32, 5, 128, 257, false",
    "PACKED, F32, 5, 128, 257, true",
    "PACKED, F32, 300, 128, 257, true",
    "PACKED, F32, 2, 4, 3, false",
    "PACKED, BF16, 1, 160, 258, true",
    "PACKED, BF16, 7, 160, 258, true",
    "PACKED, BF16, 70, 161, 259, false",
    "PACKED, F64, 3, 128, 130, false",
    "INT8, F32, 1, 96, 7, false",
    "INT8, F32, 17, 96, 7, true",
    "INT8, F32, 3, 33, 7, false",
    "INT8, BF16, 1, 768, 65, true",
    "INT8, BF16, 16, 64, 65, false",
    "INT8, BF16, 17, 64, 65, false",
    "INT8, BF16, 2, 7, 5, true",
    "INT8, F64, 40, 64, 9, false",
    "INT8, F32, 0, 64, 9, false"
  })
  void productsAreThoseOfTheFormsWeights(
      WeightForm form, DType dtype, int rows, int inputs, int outputs, boolean byColumns) {
    Random random = new Random(7);
    try (Scope scope = Scope.open(Device.CPU)) {
      Tensor x = of(scope, random, dtype, rows, inputs);
      Tensor w =
          byColumns
              ? Layout.transpose(scope, of(scope, random, dtype, inputs, outputs), 0, 1)
              : of(scope, random, dtype, outputs, inputs);
      Tensor bias = of(scope, random, DType.F32, outputs);
      FrozenWeight frozen = FrozenWeight.of(scope, w, form);
      double[] weight = numbers(scope, w);
      if (form == WeightForm.INT8) {
        round(weight, inputs);
      }
      double[] expected =
          MatmulCases.product(
              numbers(scope, x),
              MatmulCases.transposed(weight, outputs, inputs),
              1,
              rows,
              inputs,
              outputs);
      double[] added = numbers(scope, bias);
      double epsilon =
          dtype == DType.BF16 || form == WeightForm.INT8
              ? 0x1p-8
              : dtype == DType.F32 ? 1e-6 : 1e-14;
      near(scope, frozen.linear(scope, x, null), expected, epsilon * Math.sqrt(inputs));
      for (int i = 0; i < expected.length; i++) {
        expected[i] += added[i % outputs];
      }
      Tensor found = frozen.linear(scope, x, bias);
      assertThat(found.dtype()).isEqualTo(dtype);
      near(scope, found, expected, epsilon * Math.sqrt(inputs));
      assertThat(frozen.weight()).isSameAs(w);
    }
  }

  @Test
  void rowsOfZerosStayZero() {
    try (Scope scope = Scope.open(Device.CPU)) {
      Tensor w = scope.of(new float[] {0, 0, 127, -64.5f}, 2, 2);
      Tensor x = scope.of(new float[] {1, 2, 0, 1}, 2, 2);
      assertThat(FrozenWeight.of(scope, w, WeightForm.INT8).linear(scope, x, null).toFloats())
          .containsExactly(0, -1, 0, -64);
    }
  }

  /// A large weight is made integers piece by piece.
  @Test
  void piecesOfALargeWeightHaveTheirOwnScales() {
    int inputs = 3001;
    int outputs = 2003;
    try (Scope scope = Scope.open(Device.CPU)) {
      float[] scales = new float[outputs];
      for (int i = 0; i < outputs; i++) {
        scales[i] = 1 << i % 7;
      }
      Tensor w =
          Layout.copy(scope, Layout.expand(scope, scope.of(scales, outputs, 1), outputs, inputs));
      Tensor x = scope.full(1, DType.F32, 1, inputs);
      float[] found = FrozenWeight.of(scope, w, WeightForm.INT8).linear(scope, x, null).toFloats();
      for (int i = 0; i < outputs; i++) {
        assertThat(found[i] / scales[i]).isCloseTo(inputs, within(inputs * 0.005f));
      }
    }
  }

  private static Tensor of(Scope scope, Random random, DType dtype, long... shape) {
    double[] values =
        random.doubles(shape.length == 1 ? shape[0] : shape[0] * shape[1], -1, 1).toArray();
    return Layout.as(scope, scope.of(values, shape), dtype);
  }

  private static double[] numbers(Scope scope, Tensor x) {
    return Layout.to(scope, Layout.copy(scope, x), DType.F64).toDoubles();
  }

  /// Replaces each row by integers of up to 127 times a bf16 scale.
  private static void round(double[] weight, int inputs) {
    for (int start = 0; start < weight.length; start += inputs) {
      double largest = 0;
      for (int i = start; i < start + inputs; i++) {
        largest = Math.max(largest, Math.abs(weight[i]));
      }
      int bits = Float.floatToIntBits((float) largest / 127);
      double scale = Float.intBitsToFloat((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
      for (int i = start; i < start + inputs; i++) {
        weight[i] = Math.rint(weight[i] / scale) * scale;
      }
    }
  }

  private static void near(Scope scope, Tensor found, double[] expected, double tolerance) {
    double[] values = numbers(scope, found);
    assertThat(values).hasSameSizeAs(expected);
    for (int i = 0; i < values.length; i++) {
      assertThat(values[i])
          .as("element %d", i)
          .isCloseTo(expected[i], within(tolerance * (1 + Math.abs(expected[i]))));
    }
  }
}
