package dev.gatun.runtime.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every kernel against plain loops in f64, at sizes that fill no whole vector, block or thread.
@ExtendWith(LeakCheck.class)
class KernelTest {
  private static Stream<Arguments> typesAndSizes() {
    return Stream.of(DType.F32, DType.BF16)
        .flatMap(
            dtype -> Stream.of(1, 15, 16, 2047, 2049, 70_001).map(n -> Arguments.of(dtype, n)));
  }

  private static double[] values(int seed, int count, double spread) {
    return new Random(seed).doubles(count, -spread, spread).toArray();
  }

  /// Rounds to the type, so that loops and kernels start from the same numbers.
  private static Tensor tensor(Scope scope, double[] values, DType dtype, long... shape) {
    return Layout.to(scope, scope.of(values, shape), dtype);
  }

  private static double[] read(Scope scope, Tensor tensor) {
    return Layout.to(scope, tensor, DType.F64).toDoubles();
  }

  private static void assertClose(Scope scope, Tensor found, double[] expected) {
    double relative = found.dtype() == DType.F32 ? 5e-6 : 5e-3;
    double[] values = read(scope, found);
    assertThat(values).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      double bound = relative * Math.max(1, Math.abs(expected[i]));
      if (!(Math.abs(values[i] - expected[i]) <= bound)) {
        assertThat(values[i]).as("element %d", i).isCloseTo(expected[i], within(bound));
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

  @Test
  void theModuleIsThere() {
    assertThat(Kernels.available()).isTrue();
  }

  @Test
  void onlyRowMajorTensorsOfOneNarrowTypeAreTaken() {
    try (Scope scope = Scope.open()) {
      Tensor f32 = scope.zeros(DType.F32, 2, 3);
      assertThat(Kernels.take(f32, f32)).isTrue();
      assertThat(Kernels.take(scope.zeros(DType.BF16, 2))).isTrue();
      assertThat(Kernels.take(f32, scope.zeros(DType.BF16, 2))).isFalse();
      assertThat(Kernels.take(scope.zeros(DType.F64, 2))).isFalse();
      assertThat(Kernels.take(Layout.transpose(scope, f32, 0, 1))).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1", "F32,17", "F32,8192", "BF16,16", "BF16,257"})
  void arithmetic(DType dtype, int count) {
    try (Scope scope = Scope.open()) {
      Tensor a = tensor(scope, values(1, count, 3), dtype, count);
      Tensor b = tensor(scope, values(2, count, 3), dtype, count);
      assertThat(Arithmetic.takes(a, b)).isTrue();
      double[] x = read(scope, a);
      double[] y = read(scope, b);
      for (Arithmetic.Operation operation : Arithmetic.Operation.values()) {
        Tensor result = scope.empty(dtype, count);
        Arithmetic.compute(operation, a, b, result);
        double[] exact = new double[count];
        for (int i = 0; i < count; i++) {
          exact[i] =
              switch (operation) {
                case ADD -> x[i] + y[i];
                case SUBTRACT -> x[i] - y[i];
                case MULTIPLY -> x[i] * y[i];
              };
        }
        // both round once, from f32 or wider to the type
        Tensor rounded = Layout.to(scope, tensor(scope, exact, DType.F32, count), dtype);
        assertThat(read(scope, result)).containsExactly(read(scope, rounded));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,16390,2",
    "2,8194,5",
    "1,1,40000",
    "2,64,1001",
    "1,768,50",
    "2,770,61",
    "1,37000,1",
    "2,6,20000"
  })
  void fewRows(int rows, int inner, int outputs) {
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      for (boolean transposed : new boolean[] {true, false}) {
        try (Scope scope = Scope.open()) {
          Tensor x = tensor(scope, values(1, rows * inner, 1), dtype, rows, inner);
          long[] shape = transposed ? new long[] {outputs, inner} : new long[] {inner, outputs};
          Tensor w = tensor(scope, values(2, inner * outputs, 1), dtype, shape);
          boolean takes = FewRows.takes(x, w);
          assertThat(takes).isEqualTo(shape[1] % 2 == 0);
          if (!takes) {
            continue;
          }
          double[] xs = read(scope, x);
          double[] ws = read(scope, w);
          double[] expected = new double[rows * outputs];
          for (int i = 0; i < rows; i++) {
            for (int n = 0; n < outputs; n++) {
              for (int k = 0; k < inner; k++) {
                double weight = ws[transposed ? n * inner + k : k * outputs + n];
                expected[i * outputs + n] += xs[i * inner + k] * weight;
              }
            }
          }
          Tensor result = scope.empty(dtype, rows, outputs);
          if (transposed) {
            FewRows.timesTransposed(scope, x, w, result);
          } else {
            FewRows.times(scope, x, w, result);
          }
          double[] found = read(scope, result);
          double bound = dtype == DType.F32 ? 2e-5 : 5e-3;
          for (int i = 0; i < expected.length; i++) {
            double allowed = bound * Math.max(Math.sqrt(inner), Math.abs(expected[i]));
            if (Math.abs(found[i] - expected[i]) > allowed) {
              assertThat(found[i]).as("element %d", i).isCloseTo(expected[i], within(allowed));
            }
          }
        }
      }
    }
  }

  /// Rows of several adapters, widths that fill no vector, ranks that are no multiple of four.
  @ParameterizedTest
  @CsvSource({"F32,1,2,4", "F32,5,770,62", "F32,16,64,1002", "BF16,3,770,66", "BF16,16,64,1002"})
  void lowRankRows(DType dtype, int rank, int inner, int outputs) {
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, 4 * inner, 1), dtype, 4, inner);
      Tensor target = tensor(scope, values(2, 4 * outputs, 1), dtype, 4, outputs);
      double[] expected = read(scope, target);
      List<LowRankRows.Part> parts = new ArrayList<>();
      double[] xs = read(scope, x);
      for (int row : new int[] {3, 0, 1}) {
        Tensor a = tensor(scope, values(3 + row, rank * inner, 1), dtype, rank, inner);
        Tensor columns = tensor(scope, values(9 + row, rank * outputs, 1), dtype, rank, outputs);
        Tensor b = Layout.transpose(scope, columns, 0, 1);
        assertThat(LowRankRows.takes(target, x, a, b)).isTrue();
        double[] as = read(scope, a);
        double[] bs = read(scope, columns);
        for (int r = 0; r < rank; r++) {
          double low = 0;
          for (int i = 0; i < inner; i++) {
            low += xs[row * inner + i] * as[r * inner + i];
          }
          for (int o = 0; o < outputs; o++) {
            expected[row * outputs + o] += 0.25 * low * bs[r * outputs + o];
          }
        }
        parts.add(new LowRankRows.Part(row, a, b, 0.25));
      }
      LowRankRows.add(scope, target, x, parts);
      assertClose(scope, target, expected);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32,1,2,1,1,32",
    "F32,2,4,2,33,64",
    "F32,1,6,2,18,144", // rows too long to go on at their end
    "BF16,3,6,3,200,64",
    "BF16,2,3,3,39,48", // half a row is no multiple of 16 lanes
    "BF16,1,2,1,21,272"
  })
  void attentionOverPages(DType dtype, int b, int heads, int keyHeads, int keys, int size) {
    int page = 16;
    int from = Math.min(3, keys - 1);
    int each = (keys + page - 1) / page;
    try (Scope scope = Scope.open()) {
      // q is a slice of wider rows, as of one projection
      Tensor wide = tensor(scope, values(1, b * 2 * heads * size, 1), dtype, b, 2L * heads, size);
      Tensor q = Layout.narrow(scope, wide, 1, 0, heads);
      long[] shape = {b * each, keyHeads, page, size};
      int count = b * each * keyHeads * page * size;
      Tensor k = tensor(scope, values(2, count, 1), dtype, shape);
      Tensor v = tensor(scope, values(3, count, 1), dtype, shape);
      assertThat(PageAttention.takes(q, k)).isEqualTo(size % Lanes.COUNT == 0);
      List<PageAttention.Query> queries = new ArrayList<>();
      for (int i = 0; i < b; i++) {
        int row = i;
        int[] pages = IntStream.range(0, each).map(j -> j * b + row).toArray();
        queries.add(new PageAttention.Query(i, pages, i == 0 ? from : 0, keys));
      }
      double[] qs = read(scope, q);
      double[] ks = read(scope, k);
      double[] vs = read(scope, v);
      double[] expected = new double[qs.length];
      for (int h = 0; h < b * heads; h++) {
        PageAttention.Query query = queries.get(h / heads);
        int group = h % heads / (heads / keyHeads);
        double[] weights = new double[keys];
        double sum = 0;
        for (int j = query.from(); j < keys; j++) {
          int line = (query.pages()[j / page] * keyHeads + group) * page + j % page;
          double score = 0;
          for (int i = 0; i < size; i++) {
            score += qs[h * size + i] * ks[line * size + i];
          }
          weights[j] = Math.exp(0.3 * score);
          sum += weights[j];
        }
        for (int j = query.from(); j < keys; j++) {
          int line = (query.pages()[j / page] * keyHeads + group) * page + j % page;
          for (int i = 0; i < size; i++) {
            expected[h * size + i] += weights[j] / sum * vs[line * size + i];
          }
        }
      }
      Tensor result = scope.empty(dtype, b, heads, size);
      PageAttention.attend(scope, q, k, v, queries, 0.3, result);
      assertClose(scope, result, expected);
    }
  }

  @Test
  void rowsAreCopiedToTheirPlacesInPages() {
    try (Scope scope = Scope.open()) {
      Tensor pages = scope.zeros(DType.BF16, 3, 2, 16, 32);
      Tensor wide = tensor(scope, values(1, 2 * 6 * 32, 1), DType.BF16, 2, 6, 32);
      Tensor fresh = Layout.narrow(scope, wide, 1, 2, 2); // of a projection of q, k and v
      assertThat(PageAttention.takes(fresh, pages)).isEqualTo(32 % Lanes.COUNT == 0);
      long[] places = {95, 0, 17, 40};
      PageAttention.write(pages, fresh, places);
      double[] rows = read(scope, fresh);
      double[] expected = new double[3 * 2 * 16 * 32];
      for (int i = 0; i < places.length; i++) {
        System.arraycopy(rows, 32 * i, expected, (int) (32 * places[i]), 32);
      }
      assertThat(read(scope, pages)).containsExactly(expected);
    }
  }

  /// Before and after the compiler has been at a kernel, it gives the same bits.
  @Test
  void compilingChangesNoBit() {
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, 3 * 771, 3), DType.F32, 3, 771);
      Tensor w = tensor(scope, values(2, 771, 3), DType.F32, 771);
      float[] first = null;
      for (int i = 0; i < 3_000; i++) {
        try (Scope block = scope.child()) {
          Tensor result = block.empty(DType.F32, 3, 771);
          RmsNorm.forward(block, x, w, 1e-5, result);
          double[] sums = new double[3];
          Softmax.rows(block, result, sums);
          if (first == null) {
            first = result.toFloats();
          } else if (i % 500 == 0) {
            assertThat(result.toFloats()).as("call %d", i).containsExactly(first);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("typesAndSizes")
  void gelu(DType dtype, int count) {
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, count, 6), dtype, count);
      Tensor flow = tensor(scope, values(2, count, 2), dtype, count);
      Tensor result = scope.empty(dtype, count);
      double[] xs = read(scope, x);
      double[] flows = read(scope, flow);
      Gelu.forward(scope, x, result);
      assertClose(scope, result, Arrays.stream(xs).map(KernelTest::gelu).toArray());
      Gelu.gradient(scope, x, flow, result);
      double[] expected = new double[count];
      for (int i = 0; i < count; i++) {
        expected[i] = flows[i] * derivative(KernelTest::gelu, xs[i]);
      }
      assertClose(scope, result, expected);
    }
  }

  @ParameterizedTest
  @MethodSource("typesAndSizes")
  void swiGlu(DType dtype, int count) {
    try (Scope scope = Scope.open()) {
      Tensor gate = tensor(scope, values(1, count, 6), dtype, count);
      Tensor up = tensor(scope, values(2, count, 2), dtype, count);
      Tensor flow = tensor(scope, values(3, count, 2), dtype, count);
      Tensor result = scope.empty(dtype, count);
      Tensor toGate = scope.empty(dtype, count);
      Tensor toUp = scope.empty(dtype, count);
      SwiGlu.forward(scope, gate, up, result);
      SwiGlu.gradient(scope, gate, up, flow, toGate, toUp);
      double[] x = read(scope, gate);
      double[] y = read(scope, up);
      double[] g = read(scope, flow);
      double[] forward = new double[count];
      double[] byGate = new double[count];
      double[] byUp = new double[count];
      for (int i = 0; i < count; i++) {
        forward[i] = x[i] * sigmoid(x[i]) * y[i];
        byGate[i] = g[i] * y[i] * derivative(v -> v * sigmoid(v), x[i]);
        byUp[i] = g[i] * x[i] * sigmoid(x[i]);
      }
      assertClose(scope, result, forward);
      assertClose(scope, toGate, byGate);
      assertClose(scope, toUp, byUp);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1,5", "F32,7,768", "BF16,40,33", "BF16,3,2050", "F32,2,1"})
  void layerNorm(DType dtype, int rows, int width) {
    double eps = 1e-5;
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, rows * width, 3), dtype, rows, width);
      Tensor w = tensor(scope, values(2, width, 2), DType.F32, width);
      Tensor b = tensor(scope, values(4, width, 2), DType.F32, width);
      Tensor flow = tensor(scope, values(3, rows * width, 2), dtype, rows, width);
      Tensor result = scope.empty(dtype, rows, width);
      Tensor toX = scope.empty(dtype, rows, width);
      LayerNorm.forward(scope, x, w, b, eps, result);
      LayerNorm.gradient(scope, x, w, eps, flow, toX);
      double[] xs = read(scope, x);
      double[] ws = read(scope, w);
      double[] bs = read(scope, b);
      double[] gs = read(scope, flow);
      double[] forward = new double[xs.length];
      double[] backward = new double[xs.length];
      for (int r = 0; r < rows; r++) {
        int at = r * width;
        double mean = 0;
        for (int i = 0; i < width; i++) {
          mean += xs[at + i] / width;
        }
        double variance = 0;
        for (int i = 0; i < width; i++) {
          variance += (xs[at + i] - mean) * (xs[at + i] - mean) / width;
        }
        double inverse = 1 / Math.sqrt(variance + eps);
        double meanFlow = 0;
        double along = 0;
        for (int i = 0; i < width; i++) {
          double h = gs[at + i] * ws[i];
          meanFlow += h / width;
          along += h * (xs[at + i] - mean) * inverse / width;
        }
        for (int i = 0; i < width; i++) {
          double n = (xs[at + i] - mean) * inverse;
          forward[at + i] = n * ws[i] + bs[i];
          backward[at + i] = inverse * (gs[at + i] * ws[i] - meanFlow - n * along);
        }
      }
      assertClose(scope, result, forward);
      assertClose(scope, toX, backward);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1,5", "F32,7,768", "BF16,40,33", "BF16,3,2050"})
  void rmsNorm(DType dtype, int rows, int width) {
    double eps = 1e-5;
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, rows * width, 3), dtype, rows, width);
      Tensor w = tensor(scope, values(2, width, 2), DType.F32, width);
      Tensor flow = tensor(scope, values(3, rows * width, 2), dtype, rows, width);
      Tensor result = scope.empty(dtype, rows, width);
      Tensor toX = scope.empty(dtype, rows, width);
      RmsNorm.forward(scope, x, w, eps, result);
      RmsNorm.gradient(scope, x, w, eps, flow, toX);
      double[] xs = read(scope, x);
      double[] ws = read(scope, w);
      double[] gs = read(scope, flow);
      double[] forward = new double[xs.length];
      double[] backward = new double[xs.length];
      for (int r = 0; r < rows; r++) {
        int at = r * width;
        double squares = 0;
        double dot = 0;
        for (int i = 0; i < width; i++) {
          squares += xs[at + i] * xs[at + i];
          dot += gs[at + i] * ws[i] * xs[at + i];
        }
        double inverse = 1 / Math.sqrt(squares / width + eps);
        for (int i = 0; i < width; i++) {
          forward[at + i] = xs[at + i] * inverse * ws[i];
          double along = xs[at + i] * inverse * inverse * dot / width;
          backward[at + i] = inverse * (gs[at + i] * ws[i] - along);
        }
      }
      assertClose(scope, result, forward);
      assertClose(scope, toX, backward);
    }
  }

  /// What is left of a thread's arrays from one row must not reach the next.
  @Test
  void aRowThatIsNotANumberSpoilsNoOther() {
    try (Scope scope = Scope.open()) {
      double[] values = values(1, 2 * 5, 3);
      values[2] = Double.NaN;
      Tensor x = tensor(scope, values, DType.F32, 2, 5);
      Tensor alone = tensor(scope, Arrays.copyOfRange(values, 5, 10), DType.F32, 1, 5);
      Tensor weight = scope.full(1, DType.F32, 5);
      Tensor both = scope.empty(DType.F32, 2, 5);
      Tensor one = scope.empty(DType.F32, 1, 5);
      RmsNorm.forward(scope, x, weight, 1e-5, both);
      RmsNorm.forward(scope, alone, weight, 1e-5, one);
      assertThat(Arrays.copyOf(both.toFloats(), 5)).containsOnly(Float.NaN);
      assertThat(Arrays.copyOfRange(both.toFloats(), 5, 10)).containsExactly(one.toFloats());
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1,1,32", "F32,70,3,64", "BF16,70,4,128"})
  void rope(DType dtype, int tokens, int heads, int size) {
    if (!Rope.takes(size)) {
      return;
    }
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, tokens * heads * size, 3), dtype, tokens, heads, size);
      Tensor cos = tensor(scope, values(2, tokens * size, 1), dtype, tokens, 1, size);
      Tensor sin = tensor(scope, values(3, tokens * size, 1), dtype, tokens, 1, size);
      double[] xs = read(scope, x);
      double[] cs = read(scope, cos);
      double[] ss = read(scope, sin);
      for (int sign : new int[] {1, -1}) {
        Tensor result = scope.empty(dtype, tokens, heads, size);
        Rope.rotate(scope, x, cos, sin, sign, result);
        double[] expected = new double[xs.length];
        for (int i = 0; i < expected.length; i++) {
          int channel = i % size;
          int table = i / (heads * size) * size + channel;
          int other = channel < size / 2 ? i + size / 2 : i - size / 2;
          expected[i] = xs[i] * cs[table] + sign * xs[other] * ss[table];
        }
        assertClose(scope, result, expected);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1,1,3", "F32,9,2051,40", "BF16,33,257,300"})
  void softmaxOfRows(DType dtype, int rows, int width, double spread) {
    try (Scope scope = Scope.open()) {
      Tensor logits = tensor(scope, values(1, rows * width, spread), dtype, rows, width);
      double[] z = read(scope, logits);
      double[] sums = new double[rows];
      Softmax.rows(scope, logits, sums);
      double[] expected = new double[z.length];
      for (int r = 0; r < rows; r++) {
        double most = Arrays.stream(z, r * width, (r + 1) * width).max().orElseThrow();
        double sum = 0;
        for (int i = r * width; i < (r + 1) * width; i++) {
          expected[i] = Math.exp(z[i] - most);
          sum += expected[i];
        }
        for (int i = r * width; i < (r + 1) * width; i++) {
          expected[i] /= sum;
        }
        assertThat(sums[r]).isCloseTo(most + Math.log(sum), within(1e-5));
      }
      assertClose(scope, logits, expected);
    }
  }

  private static double[] logSoftmax(double[] z, int from, int width) {
    double most = Arrays.stream(z, from, from + width).max().orElseThrow();
    double log =
        most + Math.log(Arrays.stream(z, from, from + width).map(v -> Math.exp(v - most)).sum());
    return Arrays.stream(z, from, from + width).map(v -> v - log).toArray();
  }

  @ParameterizedTest
  @CsvSource({"F32,1,1,3", "F32,9,2051,20", "BF16,33,257,5"})
  void headLosses(DType dtype, int rows, int width, double spread) {
    double lambda = 1.7;
    try (Scope scope = Scope.open()) {
      double[] start = values(1, rows * width, spread);
      double[] other = Arrays.stream(start).map(z -> z + Math.sin(7 * z)).toArray();
      Tensor logits1 = tensor(scope, start, dtype, rows, width);
      Tensor logits2 = tensor(scope, other, dtype, rows, width);
      Tensor alone = Layout.copy(scope, logits1);
      double[] z1 = read(scope, logits1);
      double[] z2 = read(scope, logits2);
      long[] labels = new long[rows];
      double[] first = new double[z1.length];
      double[] second = new double[z1.length];
      double[] plain = new double[z1.length];
      double[] task = new double[rows];
      double[] divergence = new double[rows];
      for (int r = 0; r < rows; r++) {
        labels[r] = r * 31L % width;
        double[] p = logSoftmax(z1, r * width, width);
        double[] q = logSoftmax(z2, r * width, width);
        double meanP = 0;
        double meanQ = 0;
        for (int i = 0; i < width; i++) {
          meanP += Math.exp(p[i]) * (p[i] - q[i]);
          meanQ += Math.exp(q[i]) * (q[i] - p[i]);
        }
        task[r] = -p[(int) labels[r]];
        divergence[r] = (meanP + meanQ) / 2;
        for (int i = 0; i < width; i++) {
          double a = Math.exp(p[i]);
          double b = Math.exp(q[i]);
          int at = r * width + i;
          plain[at] = a - (i == labels[r] ? 1 : 0);
          first[at] = plain[at] + lambda / 2 * (a * (p[i] - q[i] - meanP) + a - b);
          second[at] = lambda / 2 * (b * (q[i] - p[i] - meanQ) + b - a);
        }
      }
      double[] foundTask = new double[rows];
      double[] foundDivergence = new double[rows];
      HeadLoss.crossEntropy(scope, alone, labels, true, foundTask);
      assertThat(foundTask).containsExactly(task, within(2e-5));
      assertClose(scope, alone, plain);
      HeadLoss.withDivergence(
          scope,
          logits1,
          logits2,
          labels,
          new HeadLoss.Wanted(lambda, false, true, true),
          foundTask,
          foundDivergence);
      assertThat(foundTask).containsExactly(task, within(2e-5));
      assertThat(foundDivergence).containsExactly(divergence, within(2e-5));
      assertClose(scope, logits1, first);
      assertClose(scope, logits2, second);
    }
  }

  private static List<Arguments> attentions() {
    return List.of(
        Arguments.of(DType.F32, false, null),
        Arguments.of(DType.F32, true, null),
        Arguments.of(DType.BF16, true, new long[] {2, 4, 1, 9}),
        Arguments.of(DType.F32, true, new long[] {1, 1, 6, 9}),
        Arguments.of(DType.F32, false, new long[] {2, 4, 6, 9}));
  }

  /// 2 sequences, 4 query heads on 2 key heads; queries 2 to 4 of 6, the last of which sees 8 of 9
  /// keys where they are causal.
  @ParameterizedTest
  @MethodSource("attentions")
  void attentionWeights(DType dtype, boolean causal, long @Nullable [] maskShape) {
    int queries = 3;
    int keys = causal ? 8 : 9;
    try (Scope scope = Scope.open()) {
      Tensor scores =
          tensor(scope, values(1, 2 * 4 * queries * keys, 3), dtype, 4, 2 * queries, keys);
      Tensor mask = null;
      double[] bias = {};
      if (maskShape != null) {
        int count = (int) Arrays.stream(maskShape).reduce(1, (a, b) -> a * b);
        bias = Arrays.stream(values(2, count, 1)).map(u -> u < 0.4 ? -1 / 0.0 : 0).toArray();
        mask = tensor(scope, bias, dtype, maskShape);
      }
      double[] z = read(scope, scores);
      Softmax.attention(
          scope, scores, new Softmax.Attention(4, queries, causal ? 6 : 9, causal, mask, 2));
      double[] expected = new double[z.length];
      for (int row = 0; row < 2 * 4 * queries; row++) {
        int head = row / queries;
        int query = row % queries;
        double sum = 0;
        for (int key = 0; key < keys; key++) {
          double added = 0;
          if (maskShape != null) {
            long b = maskShape[0] == 1 ? 0 : head / 4;
            long h = maskShape[1] == 1 ? 0 : head % 4;
            long t = maskShape[2] == 1 ? 0 : 2 + query;
            added = bias[(int) (((b * maskShape[1] + h) * maskShape[2] + t) * 9 + key)];
          }
          boolean ahead = causal && key >= 6 + query;
          expected[row * keys + key] = ahead ? 0 : Math.exp(z[row * keys + key] + added);
          sum += expected[row * keys + key];
        }
        for (int key = 0; key < keys; key++) {
          expected[row * keys + key] = sum == 0 ? 0 : expected[row * keys + key] / sum;
        }
      }
      assertClose(scope, scores, expected);
      double[] found = read(scope, scores);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i] == 0).as("weight %d is 0", i).isEqualTo(expected[i] == 0);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,7,19", "BF16,33,257"})
  void softmaxGradient(DType dtype, int rows, int width) {
    try (Scope scope = Scope.open()) {
      Tensor flow = tensor(scope, values(1, rows * width, 2), dtype, rows, width);
      Tensor p =
          tensor(
              scope,
              Arrays.stream(values(2, rows * width, 1)).map(Math::abs).toArray(),
              dtype,
              rows,
              width);
      double[] g = read(scope, flow);
      double[] ps = read(scope, p);
      Softmax.gradient(scope, flow, p);
      double[] expected = new double[g.length];
      for (int r = 0; r < rows; r++) {
        double dot = 0;
        for (int i = r * width; i < (r + 1) * width; i++) {
          dot += g[i] * ps[i];
        }
        for (int i = r * width; i < (r + 1) * width; i++) {
          expected[i] = ps[i] * (g[i] - dot);
        }
      }
      double scale = width;
      double[] found = read(scope, flow);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i])
            .isCloseTo(expected[i], within((dtype == DType.F32 ? 1e-6 : 5e-3) * scale));
      }
    }
  }

  /// The exponential saturates, and passes on what is not a number.
  @Test
  void extremesStayWhatTheyAre() {
    try (Scope scope = Scope.open()) {
      float big = 1e30f;
      float[] values = {
        -big, big, Float.NaN, -0f, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY
      };
      Tensor x = scope.of(values, values.length);
      Tensor result = scope.empty(DType.F32, values.length);
      Gelu.forward(scope, Layout.narrow(scope, x, 0, 0, 4), Layout.narrow(scope, result, 0, 0, 4));
      float[] found = result.toFloats();
      assertThat(found[0]).isCloseTo(0, within(1e-8f));
      assertThat(found[1]).isEqualTo(big);
      assertThat(found[2]).isNaN();
      assertThat(found[3]).isEqualTo(-0f);
      Tensor half = Layout.to(scope, x, DType.BF16);
      Tensor one = scope.full(1, DType.BF16, values.length);
      Tensor same = scope.empty(DType.BF16, values.length);
      Gelu.gradient(scope, half, one, same);
      double[] slopes = read(scope, same);
      assertThat(slopes[2]).isNaN();
      assertThat(slopes[3]).isEqualTo(0.5);
    }
  }

  @Test
  void bf16IsRoundedToNearestTiesToEven() {
    float[] source = new float[40];
    for (int i = 0; i < 40; i++) {
      source[i] = Float.intBitsToFloat(0x3f80_0000 + i * 0x4000); // in steps of a quarter place
    }
    source[39] = Float.NaN;
    try (Scope scope = Scope.open()) {
      Tensor f32 = scope.of(source, 40);
      Tensor found = scope.empty(DType.BF16, 40);
      Memory.with(m -> m[0].store(source, 0, 40), found);
      assertThat(read(scope, found))
          .containsExactly(read(scope, Layout.to(scope, f32, DType.BF16)));
      float[] back = new float[40];
      Memory.with(m -> m[0].load(0, back, 40), found);
      assertThat(back).containsExactly(Layout.to(scope, found, DType.F32).toFloats());
    }
  }

  @Test
  void oneThreadGivesTheBitsOfTwo() {
    int threads = Backend.threads().openMp();
    try (Scope scope = Scope.open()) {
      Tensor x = tensor(scope, values(1, 50_000, 3), DType.F32, 50, 1000);
      Tensor w = scope.full(1.5, DType.F32, 1000);
      float[][] results = new float[2][];
      for (int i = 0; i < 2; i++) {
        Backend.setThreads(i + 1);
        Tensor result = scope.empty(DType.F32, 50, 1000);
        RmsNorm.forward(scope, x, w, 1e-5, result);
        results[i] = result.toFloats();
      }
      assertThat(results[1]).containsExactly(results[0]);
    } finally {
      Backend.setThreads(threads);
    }
  }
}
