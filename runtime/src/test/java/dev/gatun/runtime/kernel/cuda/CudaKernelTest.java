package dev.gatun.runtime.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.internal.cuda.CudaCondition;
import dev.gatun.runtime.kernel.HeadLoss;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every kernel against plain loops in f64, at sizes that fill no run of 16 bytes, warp or block,
/// and at addresses that are no multiple of 16.
@Tag("gpu")
@ExtendWith({CudaCondition.class, LeakCheck.class})
class CudaKernelTest {
  private static Stream<Arguments> typesAndSizes() {
    return Stream.of(DType.F32, DType.BF16, DType.F16)
        .flatMap(dtype ->
            Stream.of(1, 7, 8, 255, 2049, 9_001)
                .flatMap(n -> Stream.of(0, 1).map(s -> Arguments.of(dtype, n, s))));
  }

  private static double[] values(int seed, int count, double spread) {
    return new Random(seed).doubles(count, -spread, spread).toArray();
  }

  private static void assertClose(DType dtype, double[] found, double[] expected) {
    double relative =
        switch (dtype) {
          case F32 -> 5e-6;
          case F16 -> 7e-4;
          default -> 5e-3;
        };
    assertClose(relative, found, expected);
  }

  private static void assertClose(double relative, double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      double bound = relative * Math.max(1, Math.abs(expected[i]));
      if (!(Math.abs(found[i] - expected[i]) <= bound)) {
        assertThat(found[i]).as("element %d", i).isCloseTo(expected[i], within(bound));
      }
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double gelu(double x) {
    return x * sigmoid(Math.sqrt(8 / Math.PI) * (x + 0.044715 * x * x * x));
  }

  private static double derivative(DoubleUnaryOperator f, double x) {
    double h = 1e-5;
    return (f.applyAsDouble(x + h) - f.applyAsDouble(x - h)) / (2 * h);
  }

  private static double[] map(int count, java.util.function.IntToDoubleFunction f) {
    double[] result = new double[count];
    Arrays.setAll(result, f);
    return result;
  }

  @ParameterizedTest
  @MethodSource("typesAndSizes")
  void swiglu(DType dtype, int n, int shift) {
    try (DeviceArray gate = new DeviceArray(values(1, n, 9), dtype, shift);
        DeviceArray up = new DeviceArray(values(2, n, 3), dtype, 0);
        DeviceArray flow = new DeviceArray(values(3, n, 1), dtype, 0);
        DeviceArray result = DeviceArray.empty(n, dtype, 0);
        DeviceArray toGate = DeviceArray.empty(n, dtype, 0);
        DeviceArray toUp = DeviceArray.empty(n, dtype, shift)) {
      double[] x = gate.read();
      double[] u = up.read();
      double[] g = flow.read();

      CudaSwiGlu.forward(gate.address(), up.address(), result.address(), n, dtype);
      CudaSwiGlu.gradient(
          gate.address(), up.address(), flow.address(), toGate.address(), toUp.address(), n, dtype);

      assertClose(dtype, result.read(), map(n, i -> x[i] * sigmoid(x[i]) * u[i]));
      assertClose(
          dtype, toGate.read(), map(n, i -> g[i] * u[i] * derivative(z -> z * sigmoid(z), x[i])));
      assertClose(dtype, toUp.read(), map(n, i -> g[i] * x[i] * sigmoid(x[i])));
    }
  }

  @ParameterizedTest
  @MethodSource("typesAndSizes")
  void gelu(DType dtype, int n, int shift) {
    try (DeviceArray x = new DeviceArray(values(4, n, 6), dtype, shift);
        DeviceArray flow = new DeviceArray(values(5, n, 1), dtype, 0);
        DeviceArray result = DeviceArray.empty(n, dtype, 0);
        DeviceArray toX = DeviceArray.empty(n, dtype, 0)) {
      double[] v = x.read();
      double[] g = flow.read();

      CudaGelu.forward(x.address(), result.address(), n, dtype);
      CudaGelu.gradient(x.address(), flow.address(), toX.address(), n, dtype);

      assertClose(dtype, result.read(), map(n, i -> gelu(v[i])));
      assertClose(dtype, toX.read(), map(n, i -> g[i] * derivative(CudaKernelTest::gelu, v[i])));
    }
  }

  @Test
  void extremesGiveNoNaN() {
    double[] most = {-1e30, -200, -88, 88, 200, 1e10};
    try (DeviceArray x = new DeviceArray(most, DType.F32, 0);
        DeviceArray one = new DeviceArray(new double[] {1, 1, 1, 1, 1, 1}, DType.F32, 0);
        DeviceArray a = DeviceArray.empty(6, DType.F32, 0);
        DeviceArray b = DeviceArray.empty(6, DType.F32, 0)) {
      CudaSwiGlu.gradient(
          x.address(), one.address(), one.address(), a.address(), b.address(), 6, DType.F32);
      assertClose(1e-6, a.read(), new double[] {0, 0, 0, 1, 1, 1});
      CudaGelu.forward(x.address(), a.address(), 6, DType.F32);
      assertClose(1e-6, a.read(), new double[] {0, 0, 0, 88, 200, 1e10});
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F32, 5, 3, 64, 0", "BF16, BF16, 5, 3, 64, 0", "F16, F16, 3, 2, 128, 0",
    "BF16, F32, 5, 3, 64, 0", "BF16, BF16, 5, 3, 64, 1", "F32, F32, 4, 1, 6, 0",
    "BF16, BF16, 2, 40, 24, 0"
  })
  void rope(DType dtype, DType table, int tokens, int heads, int size, int shift) {
    int width = heads * size;
    int stride = 2 * width + 16; // between other columns of the same matrix
    double[] angles = values(6, tokens * size / 2, 3);
    double[] cosines =
        map(tokens * size, i -> Math.cos(angles[i / size * (size / 2) + i % (size / 2)]));
    double[] sines =
        map(
            tokens * size,
            i ->
                Math.sin(angles[i / size * (size / 2) + i % (size / 2)])
                    * (i % size < size / 2 ? -1 : 1));
    try (DeviceArray x = new DeviceArray(values(7, tokens * stride, 2), dtype, shift);
        DeviceArray cos = new DeviceArray(cosines, table, 0);
        DeviceArray sin = new DeviceArray(sines, table, 0);
        DeviceArray result = DeviceArray.empty(tokens * width, dtype, 0)) {
      double[] v = x.read();
      double[] c = cos.read();
      double[] s = sin.read();
      CudaRope.Heads in = new CudaRope.Heads(x.address(), stride, size);
      CudaRope.Heads out = CudaRope.Heads.of(result.address(), heads, size);
      CudaRope.Table tables = new CudaRope.Table(cos.address(), sin.address(), size, table);

      for (int sign : new int[] {1, -1}) {
        CudaRope.rotate(in, out, tables, tokens, heads, size, sign, dtype);

        double[] expected =
            map(
                tokens * width,
                i -> {
                  int t = i / width;
                  int d = i % size;
                  int at = t * stride + i % width;
                  int other = d < size / 2 ? at + size / 2 : at - size / 2;
                  return v[at] * c[t * size + d] + v[other] * s[t * size + d] * sign;
                });
        assertClose(dtype, result.read(), expected);
      }
      CudaRope.rotate(in, in, tables, tokens, heads, size, -1, dtype);
      double[] rotated = result.read();
      double[] inPlace = x.read();
      assertThat(map(tokens * width, i -> inPlace[i / width * stride + i % width]))
          .isEqualTo(rotated);
      assertThat(map(tokens, t -> inPlace[t * stride + width]))
          .isEqualTo(map(tokens, t -> v[t * stride + width]));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F32, 3, 5, 0",
    "F32, F32, 2, 1000, 0",
    "BF16, F32, 3, 64, 0",
    "BF16, BF16, 4, 1001, 0",
    "BF16, F32, 2, 4096, 0",
    "BF16, F32, 2, 4096, 1",
    "F16, F16, 3, 264, 0"
  })
  void rmsNorm(DType dtype, DType weight, int rows, int width, int shift) {
    int n = rows * width;
    double eps = 1e-5;
    try (DeviceArray x = new DeviceArray(values(8, n, 2), dtype, shift);
        DeviceArray w = new DeviceArray(values(9, width, 1.5), weight, 0);
        DeviceArray flow = new DeviceArray(values(10, n, 1), dtype, 0);
        DeviceArray result = DeviceArray.empty(n, dtype, 0);
        DeviceArray inverse = DeviceArray.empty(rows, DType.F32, 0);
        DeviceArray toX = DeviceArray.empty(n, dtype, 0)) {
      double[] v = x.read();
      double[] scale = w.read();
      double[] g = flow.read();
      CudaRmsNorm.Rows shape = new CudaRmsNorm.Rows(rows, width, dtype, weight);

      CudaRmsNorm.forward(
          x.address(), w.address(), eps, result.address(), inverse.address(), shape);
      CudaRmsNorm.gradient(
          x.address(), w.address(), inverse.address(), flow.address(), toX.address(), shape);

      double[] r = new double[rows];
      double[] mean = new double[rows];
      for (int i = 0; i < rows; i++) {
        double squares = 0;
        for (int j = 0; j < width; j++) {
          squares += v[i * width + j] * v[i * width + j];
        }
        r[i] = 1 / Math.sqrt(squares / width + eps);
        for (int j = 0; j < width; j++) {
          int at = i * width + j;
          mean[i] += g[at] * scale[j] * v[at] * r[i] / width;
        }
      }
      assertClose(5e-6, inverse.read(), r);
      assertClose(dtype, result.read(), map(n, i -> v[i] * r[i / width] * scale[i % width]));
      assertClose(
          dtype,
          toX.read(),
          map(
              n,
              i -> {
                int row = i / width;
                double normed = v[i] * r[row];
                return r[row] * (g[i] * scale[i % width] - normed * mean[row]);
              }));

      double[] withInverse = result.read();
      CudaRmsNorm.forward(x.address(), w.address(), eps, result.address(), 0, shape);
      assertThat(result.read()).isEqualTo(withInverse);
    }
  }

  private static double logSum(double[] z, int from, int width) {
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < width; i++) {
      most = Math.max(most, z[from + i]);
    }
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += Math.exp(z[from + i] - most);
    }
    return most + Math.log(sum);
  }

  private static double[] labels(int rows, int width) {
    double[] labels = map(rows, i -> (i * 7919L + width - 1) % width);
    labels[rows / 2] = -1;
    return labels;
  }

  @ParameterizedTest
  @CsvSource({
    "F32, 3, 7, 0",
    "F32, 3, 5003, 0",
    "BF16, 5, 1000, 0",
    "BF16, 3, 5003, 1",
    "F16, 3, 130, 0",
    "BF16, 2, 3, 1"
  })
  void crossEntropy(DType dtype, int rows, int width, int shift) {
    try (DeviceArray logits = new DeviceArray(values(11, rows * width, 8), dtype, shift);
        DeviceArray labels = new DeviceArray(labels(rows, width), DType.I64, 0);
        DeviceArray task = DeviceArray.empty(rows, DType.F32, 0)) {
      double[] z = logits.read();
      double[] ids = labels.read();
      double[] log = map(rows, i -> logSum(z, i * width, width));
      CudaHeadLoss.Rows shape = new CudaHeadLoss.Rows(rows, width, dtype);
      double[] expected = map(rows, i -> ids[i] < 0 ? 0 : log[i] - z[i * width + (int) ids[i]]);

      CudaHeadLoss.crossEntropy(logits.address(), labels.address(), false, task.address(), shape);
      assertClose(2e-6, task.read(), expected);
      assertThat(logits.read()).isEqualTo(z);

      CudaHeadLoss.crossEntropy(logits.address(), labels.address(), true, task.address(), shape);
      assertClose(2e-6, task.read(), expected);
      assertClose(
          dtype == DType.F32 ? 1e-6 : 2e-3,
          logits.read(),
          map(
              rows * width,
              i -> {
                int row = i / width;
                double p = Math.exp(z[i] - log[row]);
                return ids[row] < 0 ? 0 : p - (i % width == (int) ids[row] ? 1 : 0);
              }));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, 3, 7, 0, false",
    "F32, 3, 3001, 0, true",
    "BF16, 3, 1000, 0, false",
    "BF16, 3, 3001, 1, false",
    "F16, 2, 130, 0, true"
  })
  void divergence(DType dtype, int rows, int width, int shift, boolean oneWay) {
    int n = rows * width;
    double lambda = 0.7;
    double weight = oneWay ? lambda : lambda / 2;
    try (DeviceArray first = new DeviceArray(values(12, n, 5), dtype, shift);
        DeviceArray second = new DeviceArray(values(13, n, 5), dtype, 0);
        DeviceArray labels = new DeviceArray(labels(rows, width), DType.I64, 0);
        DeviceArray task = DeviceArray.empty(rows, DType.F32, 0);
        DeviceArray divergence = DeviceArray.empty(rows, DType.F32, 0)) {
      double[] a = first.read();
      double[] b = second.read();
      double[] ids = labels.read();
      double[] logP = map(n, i -> a[i] - logSum(a, i / width * width, width));
      double[] logQ = map(n, i -> b[i] - logSum(b, i / width * width, width));
      double[] forth = new double[rows];
      double[] back = new double[rows];
      for (int i = 0; i < n; i++) {
        forth[i / width] += Math.exp(logP[i]) * (logP[i] - logQ[i]);
        back[i / width] += Math.exp(logQ[i]) * (logQ[i] - logP[i]);
      }
      HeadLoss.Wanted wanted = new HeadLoss.Wanted(lambda, oneWay, true, !oneWay);

      CudaHeadLoss.withDivergence(
          first.address(),
          second.address(),
          labels.address(),
          wanted,
          task.address(),
          divergence.address(),
          new CudaHeadLoss.Rows(rows, width, dtype));

      assertClose(
          2e-6, task.read(), map(rows, i -> ids[i] < 0 ? 0 : -logP[i * width + (int) ids[i]]));
      assertClose(
          5e-6,
          divergence.read(),
          map(rows, i -> ids[i] < 0 ? 0 : oneWay ? forth[i] : 0.5 * (forth[i] + back[i])));
      double bound = dtype == DType.F32 ? 2e-6 : 4e-3;
      assertClose(
          bound,
          first.read(),
          map(
              n,
              i -> {
                int row = i / width;
                double p = Math.exp(logP[i]);
                double r = logP[i] - logQ[i];
                double ofKl =
                    oneWay
                        ? weight * p * (r - forth[row])
                        : weight * (p * (r - forth[row]) + p - Math.exp(logQ[i]));
                double one = i % width == (int) ids[row] ? 1 : 0;
                return ids[row] < 0 ? 0 : p - one + ofKl;
              }));
      assertClose(
          bound,
          second.read(),
          map(
              n,
              i -> {
                int row = i / width;
                double q = Math.exp(logQ[i]);
                double r = logQ[i] - logP[i];
                double ofKl = weight * (q * (r - back[row]) + q - Math.exp(logP[i]));
                return oneWay ? b[i] : ids[row] < 0 ? 0 : ofKl;
              }));
    }
  }

  @Test
  void adamW() {
    int[] sizes = new int[70];
    Arrays.setAll(sizes, i -> i % 7 == 6 ? 0 : 1 + i * 37 % 101);
    sizes[3] = 4096;
    sizes[5] = 4097;
    sizes[66] = 9000;
    DeviceArray[][] all = new DeviceArray[4][sizes.length];
    double[][][] expected = new double[4][sizes.length][];
    try {
      for (int k = 0; k < 4; k++) {
        for (int t = 0; t < sizes.length; t++) {
          double[] start = k < 2 ? values(100 * k + t, sizes[t], 1) : new double[sizes[t]];
          @SuppressWarnings("MustBeClosed") // closed below
          DeviceArray array = new DeviceArray(start, DType.F32, t % 5 == 2 && k == 1 ? 1 : 0);
          all[k][t] = array;
          expected[k][t] = array.read();
        }
      }
      long[] counts = Arrays.stream(sizes).asLongStream().toArray();
      CudaAdamW.Tensors tensors =
          new CudaAdamW.Tensors(
              addresses(all[0]), addresses(all[1]), addresses(all[2]), addresses(all[3]), counts);
      double sum = Arrays.stream(expected[1]).flatMapToDouble(Arrays::stream).map(g -> g * g).sum();
      int scratchSize = (int) CudaAdamW.scratchBytes(counts) / Float.BYTES;
      try (DeviceArray scratch = DeviceArray.empty(scratchSize, DType.F32, 0);
          DeviceArray total = DeviceArray.empty(1, DType.F64, 0)) {
        CudaAdamW.sumOfSquares(tensors.gradients(), counts, scratch.address(), total.address());
        assertThat(total.read()[0]).isCloseTo(sum, within(1e-6 * sum));

        for (int step = 1; step <= 3; step++) {
          double maxNorm = step == 2 ? 5 : 0;
          CudaAdamW.step(
              tensors,
              new CudaAdamW.Step(step, 1e-2, 0.9, 0.999, 1e-8, 0.1),
              total.address(),
              maxNorm);
          double factor = maxNorm == 0 ? 1 : Math.min(1, maxNorm / (Math.sqrt(sum) + 1e-6));
          for (int t = 0; t < sizes.length; t++) {
            step(expected, t, step, factor);
          }
        }
      }
      for (int k = 0; k < 4; k++) {
        for (int t = 0; t < sizes.length; t++) {
          assertClose(3e-6, all[k][t].read(), expected[k][t]);
        }
      }
    } finally {
      for (DeviceArray[] some : all) {
        for (DeviceArray each : some) {
          if (each != null) {
            each.close();
          }
        }
      }
    }
  }

  private static long[] addresses(DeviceArray[] arrays) {
    return Arrays.stream(arrays).mapToLong(DeviceArray::address).toArray();
  }

  private static void step(double[][][] state, int t, int step, double factor) {
    for (int i = 0; i < state[0][t].length; i++) {
      double g = state[1][t][i] * factor;
      double p = state[0][t][i] * (1 - 1e-2 * 0.1);
      double m = 0.9 * state[2][t][i] + 0.1 * g;
      double v = 0.999 * state[3][t][i] + 0.001 * g * g;
      double hat = Math.sqrt(v / (1 - Math.pow(0.999, step)));
      state[0][t][i] = p - 1e-2 * m / (1 - Math.pow(0.9, step)) / (hat + 1e-8);
      state[2][t][i] = m;
      state[3][t][i] = v;
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void theSameInputsGiveTheSameBits(DType dtype) {
    try (DeviceArray x = new DeviceArray(values(14, 4 * 1000, 3), dtype, 0);
        DeviceArray w = new DeviceArray(values(15, 1000, 1), dtype, 0);
        DeviceArray result = DeviceArray.empty(4 * 1000, dtype, 0)) {
      CudaRmsNorm.Rows rows = new CudaRmsNorm.Rows(4, 1000, dtype, dtype);
      CudaRmsNorm.forward(x.address(), w.address(), 1e-6, result.address(), 0, rows);
      double[] once = result.read();
      CudaRmsNorm.forward(x.address(), w.address(), 1e-6, result.address(), 0, rows);
      assertThat(result.read()).isEqualTo(once);
    }
  }
}
