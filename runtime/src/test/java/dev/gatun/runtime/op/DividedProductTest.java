package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products that are large enough to be divided between threads, against plain loops.
@ExtendWith(LeakCheck.class)
class DividedProductTest {
  private final int threadsBefore = Backend.threads().openMp();

  @AfterEach
  void restoreThreads() {
    Backend.setThreads(threadsBefore);
  }

  /// Rows, inner size, columns, threads; the sides are no multiples of the threads.
  @ParameterizedTest
  @CsvSource({"16,64,8209,2", "257,129,270,3", "1031,64,130,2", "131,127,513,1", "33,517,520,2"})
  void allLayoutsGiveWhatLoopsGive(int m, int k, int n, int threads) {
    Backend.setThreads(threads);
    Random random = new Random(1);
    double[] a = normal(random, m * k);
    double[] b = normal(random, k * n);
    double[] bias = normal(random, n);
    double[] before = normal(random, m * n);
    double[] product = MatmulCases.product(a, b, 1, m, k, n);
    double[] withBias = new double[product.length];
    double[] added = new double[product.length];
    for (int i = 0; i < product.length; i++) {
      withBias[i] = product[i] + bias[i % n];
      added[i] = before[i] + 0.5 * product[i];
    }
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      double tolerance = dtype == DType.F32 ? 1e-4 : 1e-11;
      try (Scope scope = TestDevice.open()) {
        Tensor plainA = of(scope, a, dtype, m, k);
        Tensor plainB = of(scope, b, dtype, k, n);
        Tensor turnedA = Layout.transpose(scope, of(scope, turned(a, m, k), dtype, k, m), 0, 1);
        Tensor turnedB = Layout.transpose(scope, of(scope, turned(b, k, n), dtype, n, k), 0, 1);
        Tensor typedBias = of(scope, bias, dtype, n);
        for (Tensor left : new Tensor[] {plainA, turnedA}) {
          for (Tensor right : new Tensor[] {plainB, turnedB}) {
            near(scope, Matmul.matmul(scope, left, right), product, tolerance);
            Tensor weight = Layout.transpose(scope, right, 0, 1);
            near(scope, Matmul.linear(scope, left, weight, null), product, tolerance);
            near(scope, Matmul.linear(scope, left, weight, typedBias), withBias, tolerance);
            Tensor target = of(scope, before, dtype, m, n);
            Matmul.addProductInPlace(scope, target, 0.5, left, right);
            near(scope, target, added, tolerance);
          }
        }
      }
    }
  }

  private static double[] normal(Random random, int length) {
    return random.doubles(length, -1, 1).toArray();
  }

  private static double[] turned(double[] x, int rows, int columns) {
    return MatmulCases.transposed(x, rows, columns);
  }

  private static Tensor of(Scope scope, double[] values, DType dtype, long... shape) {
    return Layout.as(scope, scope.of(values, shape), dtype);
  }

  private static void near(Scope scope, Tensor found, double[] expected, double tolerance) {
    double[] values = Layout.as(scope, found, DType.F64).toDoubles();
    double apart = 0;
    for (int i = 0; i < expected.length; i++) {
      apart = Math.max(apart, Math.abs(values[i] - expected[i]));
    }
    assertThat(values).hasSameSizeAs(expected);
    assertThat(apart).isLessThan(tolerance); // false for NaN
  }
}
