package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Products and norms in bf16 and f16, and with f32 parameters, against f64.
@ExtendWith(LeakCheck.class)
class NarrowTypesTest {
  private static Tensor normal(Scope scope, DType dtype, int seed, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    double[] values = new Random(seed).doubles(elements).map(u -> 2 * (u - 0.5)).toArray();
    return Layout.as(scope, scope.of(values, shape), dtype);
  }

  private static double[] doubles(Scope scope, Tensor tensor) {
    return Layout.to(scope, tensor, DType.F64).toDoubles();
  }

  private static double bound(DType dtype) {
    return dtype == DType.BF16 ? 3e-2 : 4e-3;
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void products(DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor a = normal(scope, dtype, 1, 5, 8);
      Tensor w = normal(scope, dtype, 2, 3, 8);
      Tensor bias = normal(scope, DType.F32, 3, 3);
      Tensor wideA = Layout.to(scope, a, DType.F64);
      Tensor wideW = Layout.to(scope, w, DType.F64);
      Tensor wideBias = Layout.to(scope, bias, DType.F64);
      List<Tensor> leaves = List.of(a, w, bias);
      List<Tensor> wide = List.of(wideA, wideW, wideBias);
      Gradients found =
          Tape.gradients(scope, leaves, s -> Reduce.sum(s, Matmul.linear(s, a, w, bias)));
      Gradients expected =
          Tape.gradients(scope, wide, s -> Reduce.sum(s, Matmul.linear(s, wideA, wideW, wideBias)));
      assertThat(doubles(scope, Matmul.linear(scope, a, w, bias)))
          .containsExactly(
              doubles(scope, Matmul.linear(scope, wideA, wideW, wideBias)), within(bound(dtype)));
      for (int i = 0; i < 3; i++) {
        Tensor gradient = Objects.requireNonNull(found.of(leaves.get(i)));
        assertThat(gradient.dtype()).isEqualTo(leaves.get(i).dtype());
        assertThat(doubles(scope, gradient))
            .containsExactly(
                Objects.requireNonNull(expected.of(wide.get(i))).toDoubles(),
                within(5 * bound(dtype)));
      }
    }
  }

  /// One row to more than take the way of few rows, over a sum so long that one in a narrow type
  /// would be seen, with the matrix lying either way.
  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void productsOfFewRowsAreSummedWide(DType dtype) {
    for (int rows : new int[] {1, 8, 9}) {
      try (Scope scope = TestDevice.open()) {
        Tensor a = normal(scope, dtype, 1, rows, 700);
        Tensor w = normal(scope, dtype, 2, 5, 700);
        double[] turned = MatmulCases.transposed(doubles(scope, w), 5, 700);
        double[] expected = MatmulCases.product(doubles(scope, a), turned, 1, rows, 700, 5);
        Tensor byColumns = Layout.transpose(scope, w, 0, 1);
        Tensor byRows = Layout.as(scope, scope.of(turned, 700, 5), dtype);
        assertThat(byColumns.strides()).containsExactly(1, 700);
        assertThat(byRows.strides()).containsExactly(5, 1);
        for (Tensor matrix : List.of(byRows, byColumns)) {
          assertThat(doubles(scope, Matmul.matmul(scope, a, matrix)))
              .containsExactly(expected, within(5 * bound(dtype)));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void productsInPlace(DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor a = normal(scope, dtype, 1, 3, 4);
      Tensor b = normal(scope, dtype, 2, 4, 2);
      Tensor target = normal(scope, dtype, 3, 3, 2);
      double[] expected = doubles(scope, target);
      double[] product = MatmulCases.product(doubles(scope, a), doubles(scope, b), 1, 3, 4, 2);
      for (int i = 0; i < 6; i++) {
        expected[i] += 0.5 * product[i];
      }
      Matmul.addProductInPlace(scope, target, 0.5, a, b);
      assertThat(doubles(scope, target)).containsExactly(expected, within(bound(dtype)));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void normsWithF32Weights(DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor x = normal(scope, dtype, 1, 3, 8);
      Tensor weight = normal(scope, DType.F32, 2, 8);
      Tensor bias = normal(scope, DType.F32, 3, 8);
      Tensor wideX = Layout.to(scope, x, DType.F64);
      Tensor wideWeight = Layout.to(scope, weight, DType.F64);
      Tensor wideBias = Layout.to(scope, bias, DType.F64);
      Tensor flow = normal(scope, dtype, 4, 3, 8);
      Tensor wideFlow = Layout.to(scope, flow, DType.F64);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(x, weight),
              s ->
                  Reduce.sum(
                      s,
                      Elementwise.mul(
                          s,
                          flow,
                          Norm.rmsNorm(
                              s, Norm.layerNorm(s, x, weight, bias, 1e-5), weight, 1e-6))));
      Gradients expected =
          Tape.gradients(
              scope,
              List.of(wideX, wideWeight),
              s ->
                  Reduce.sum(
                      s,
                      Elementwise.mul(
                          s,
                          wideFlow,
                          Norm.rmsNorm(
                              s,
                              Norm.layerNorm(s, wideX, wideWeight, wideBias, 1e-5),
                              wideWeight,
                              1e-6))));
      Tensor toX = Objects.requireNonNull(found.of(x));
      Tensor toWeight = Objects.requireNonNull(found.of(weight));
      assertThat(toX.dtype()).isEqualTo(dtype);
      assertThat(toWeight.dtype()).isEqualTo(DType.F32);
      assertThat(doubles(scope, toX))
          .containsExactly(
              Objects.requireNonNull(expected.of(wideX)).toDoubles(), within(3 * bound(dtype)));
      assertThat(doubles(scope, toWeight))
          .containsExactly(
              Objects.requireNonNull(expected.of(wideWeight)).toDoubles(),
              within(3 * bound(dtype)));
    }
  }

  /// Of the oneDNN route for f32: odd sizes, transposed operands, sizes of 1.
  @Test
  void f32ProductsOfManySizes() {
    for (int m : new int[] {1, 7, 33}) {
      for (int k : new int[] {1, 5, 64}) {
        for (int n : new int[] {1, 3, 17}) {
          try (Scope scope = TestDevice.open()) {
            Tensor a = normal(scope, DType.F32, m, m, k);
            Tensor b = normal(scope, DType.F32, n, k, n);
            double[] expected =
                MatmulCases.product(doubles(scope, a), doubles(scope, b), 1, m, k, n);
            Tensor turned =
                Layout.transpose(scope, Layout.copy(scope, Layout.transpose(scope, b, 0, 1)), 0, 1);
            assertThat(doubles(scope, Matmul.matmul(scope, a, b)))
                .containsExactly(expected, within(1e-5 * k));
            assertThat(doubles(scope, Matmul.matmul(scope, a, turned)))
                .containsExactly(expected, within(1e-5 * k));
          }
        }
      }
    }
  }
}
