package dev.gatun.runtime.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.bindings.cuda.Cuda;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.internal.cuda.CudaCondition;
import dev.gatun.runtime.internal.cuda.CudaEvent;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.DeviceMemory;
import dev.gatun.runtime.internal.cuda.Driver;
import dev.gatun.runtime.kernel.HeadLoss;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.SequenceMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;

/// What each kernel takes at the shapes of a model of a billion parameters, beside a copy: they
/// read and write as fast as memory allows, or nearly so.
@Tag("gpu")
@DisabledIfSystemProperty(named = "gatun.cuda.fake", matches = "true")
@ExtendWith({CudaCondition.class, LeakCheck.class})
class CudaSpeedTest {
  private static final int RUNS = 20;
  private static final int TOKENS = 8192;
  private static final int WIDTH = 2048;
  private static final int INNER = 8192;
  private static final int HEADS = 32;
  private static final int VOCABULARY = 128_256;
  private static final int ROWS = 1024; // of logits
  private static final DType TYPE = DType.BF16;

  /// Least share of a copy's rate.
  private static final double LEAST = 0.35;

  private static double micros(Runnable kernel) {
    kernel.run();
    try (CudaEvent start = CudaEvent.open(true);
        CudaEvent end = CudaEvent.open(true)) {
      start.record();
      for (int i = 0; i < RUNS; i++) {
        kernel.run();
      }
      end.record();
      end.await();
      return 1e3 * end.millisSince(start) / RUNS;
    }
  }

  /// Prints a line and returns the rate in GB/s.
  private static double rate(String name, double bytes, Runnable kernel) {
    double micros = micros(kernel);
    double rate = bytes / micros / 1e3;
    System.out.printf("cuda: %-22s %8.1f us %7.0f GB/s%n", name, micros, rate);
    return rate;
  }

  @Test
  void kernelsKeepUpWithMemory() {
    System.out.println("cuda: " + Driver.devices().getFirst());
    long rows = 2L * TOKENS * WIDTH;
    long inner = 2L * TOKENS * INNER;
    long logits = 2L * ROWS * VOCABULARY;
    try (DeviceMemory memory = DeviceMemory.allocate(6 * inner);
        DeviceMemory second = DeviceMemory.allocate(2 * logits)) {
      long a = memory.address();
      long b = a + inner;
      long c = b + inner;
      long d = c + inner;
      long e = d + inner;
      long small = e + inner;
      long all = 6 * inner;
      check(Cuda.cuMemsetD8Async(a, (byte) 0, all, CudaThread.current().stream()));
      check(
          Cuda.cuMemsetD8Async(
              second.address(), (byte) 0, 2 * logits, CudaThread.current().stream()));
      double copy =
          rate(
              "copy",
              2.0 * inner,
              () -> check(Cuda.cuMemcpyDtoDAsync_v2(b, a, inner, CudaThread.current().stream())));
      List<Double> rates = new ArrayList<>();
      long n = inner / 2;
      rates.add(rate("swiglu", 3.0 * inner, () -> CudaSwiGlu.forward(a, b, c, n, TYPE)));
      rates.add(
          rate("swiglu gradient", 5.0 * inner, () -> CudaSwiGlu.gradient(a, b, c, d, e, n, TYPE)));
      rates.add(rate("gelu", 2.0 * inner, () -> CudaGelu.forward(a, b, n, TYPE)));
      rates.add(rate("gelu gradient", 3.0 * inner, () -> CudaGelu.gradient(a, b, c, n, TYPE)));
      CudaRmsNorm.Rows shape = new CudaRmsNorm.Rows(TOKENS, WIDTH, TYPE, DType.F32);
      rates.add(
          rate("rms norm", 2.0 * rows, () -> CudaRmsNorm.forward(a, small, 1e-5, b, e, shape)));
      rates.add(
          rate(
              "rms norm gradient",
              3.0 * rows,
              () -> CudaRmsNorm.gradient(a, small, e, c, d, shape)));
      int size = WIDTH / HEADS;
      CudaRope.Heads in = CudaRope.Heads.of(a, HEADS, size);
      CudaRope.Heads out = CudaRope.Heads.of(b, HEADS, size);
      CudaRope.Table table = new CudaRope.Table(c, d, size, TYPE);
      rates.add(
          rate(
              "rope",
              2.0 * rows,
              () -> CudaRope.rotate(in, out, table, TOKENS, HEADS, size, 1, TYPE)));
      CudaHeadLoss.Rows head = new CudaHeadLoss.Rows(ROWS, VOCABULARY, TYPE);
      long z = second.address();
      rates.add(
          rate(
              "cross entropy",
              3.0 * logits,
              () -> CudaHeadLoss.crossEntropy(z, small, true, e, head)));
      HeadLoss.Wanted wanted = new HeadLoss.Wanted(1, false, true, false);
      rates.add(
          rate(
              "divergence",
              5.0 * logits,
              () -> CudaHeadLoss.withDivergence(z, z + logits, small, wanted, e, d, head)));
      adamW(a, second.address());
      masks(a, b);
      assertThat(rates).allMatch(each -> each > LEAST * copy);
    }
  }

  /// The adapters of 16 layers, 7 a layer, of rank 16.
  private static void adamW(long memory, long scratch) {
    int tensors = 224;
    long[] counts = new long[tensors];
    Arrays.setAll(counts, i -> i % 2 == 0 ? 16 * 2048 : 16 * 8192);
    long[][] addresses = new long[4][tensors];
    long at = memory;
    for (long[] each : addresses) {
      for (int t = 0; t < tensors; t++) {
        each[t] = at;
        at += 4 * counts[t];
      }
    }
    double elements = Arrays.stream(counts).sum();
    rate(
        "sum of squares",
        4 * elements,
        () -> CudaAdamW.sumOfSquares(addresses[1], counts, scratch + 256, scratch));
    CudaAdamW.Tensors all =
        new CudaAdamW.Tensors(addresses[0], addresses[1], addresses[2], addresses[3], counts);
    CudaAdamW.Step step = new CudaAdamW.Step(1, 1e-4, 0.9, 0.999, 1e-8, 0.01);
    rate("adamw", 28 * elements, () -> CudaAdamW.step(all, step, scratch, 1));
  }

  private static void masks(long a, long b) {
    List<CudaMasks.Sequence> sequences = new ArrayList<>();
    int length = TOKENS / 8;
    for (int i = 0; i < 8; i++) {
      MaskStream stream = new MaskStream(1, 2, 3, MaskStream.Site.KEY, 0, 0);
      SequenceMask mask = new SequenceMask(stream, i, 0.1, SequenceMask.Shape.ELEMENT, 1, 0);
      sequences.add(new CudaMasks.Sequence(mask, i * length, length));
    }
    CudaMasks.Lines lines = new CudaMasks.Lines(HEADS, 1, length, DType.BF16);
    rate("mask of keys", 2.0 * 8 * HEADS * length, () -> CudaMasks.keys(a, sequences, true, lines));
    rate(
        "mask of elements",
        4.0 * TOKENS * WIDTH,
        () -> CudaMasks.tokens(a, b, sequences, TOKENS, WIDTH, DType.BF16));
  }

  private static void check(int code) {
    Driver.check(code, "cuMem");
  }
}
