package dev.gatun.bench.worker;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Reduce;
import java.util.Map;
import java.util.random.RandomGenerator;

/// What this machine can do at best: the fastest of many products and of many readings.
///
/// @param f32 floating-point operations a second of f32 products
/// @param bf16 of bf16 products
/// @param read bytes a second read from memory
record MachineRates(double f32, double bf16, double read) {
  private static final int REPEATS = 9;
  private static final long WORDS = 1L << 27; // 512 MiB of f32, far more than any cache

  /// Products of a training step, M x K x N, and a large square one.
  private static final int[][] PRODUCTS = {
    {512, 768, 2304}, {512, 768, 3072}, {512, 3072, 768}, {512, 768, 8192}, {2048, 2048, 2048}
  };

  static MachineRates measure() {
    return new MachineRates(product(DType.F32), product(DType.BF16), reading());
  }

  Map<String, Object> asMap() {
    return Map.of("f32", f32, "bf16", bf16, "read", read);
  }

  private static double product(DType dtype) {
    double best = 0;
    for (int[] shape : PRODUCTS) {
      try (Scope scope = Scope.open()) {
        Tensor x = normal(scope, dtype, shape[0], shape[1]);
        Tensor w = normal(scope, dtype, shape[2], shape[1]);
        double seconds = fastest(() -> scope.free(Matmul.linear(scope, x, w, null)));
        best = Math.max(best, 2.0 * shape[0] * shape[1] * shape[2] / seconds);
      }
    }
    return best;
  }

  private static double reading() {
    double best;
    try (Scope scope = Scope.open()) {
      Tensor words = scope.zeros(DType.F32, WORDS);
      best = 4.0 * WORDS / fastest(() -> scope.free(Reduce.sum(scope, words)));
    }
    try (Scope scope = Scope.open()) { // a product of one row reads the matrix once
      Tensor w = scope.zeros(DType.BF16, 16384, 8192);
      Tensor row = scope.zeros(DType.BF16, 1, 8192);
      double seconds = fastest(() -> scope.free(Matmul.linear(scope, row, w, null)));
      return Math.max(best, 2.0 * 16384 * 8192 / seconds);
    }
  }

  private static Tensor normal(Scope scope, DType dtype, int rows, int columns) {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return Layout.to(scope, scope.of(values, rows, columns), dtype);
  }

  private static double fastest(Runnable work) {
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < REPEATS; i++) {
      long start = System.nanoTime();
      work.run();
      best = Math.min(best, (System.nanoTime() - start) / 1e9);
    }
    return best;
  }
}
