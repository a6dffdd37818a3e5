package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Clip;
import dev.gatun.runtime.optim.Optimizer;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Training steps of one attention block, many times over: nothing native may pile up.
///
/// Every tensor of a step has 16 KiB or more, so that one lost in each step would add 14 MiB in
/// 900.
@ExtendWith(LeakCheck.class)
class SoakTest {
  private static final int WIDTH = 64;
  private static final int TOKENS = 64;
  private static final int HEADS = 4;
  private static final long MEBIBYTE = 1L << 20;
  private static final Path STATUS = Path.of("/proc/self/status");

  /// A block with its optimizer.
  private static final class Block implements AutoCloseable {
    private final Scope scope = Scope.open();
    private final Tensor x = normal(1, TOKENS, WIDTH);
    private final Tensor qkv = normal(2, 3 * WIDTH, WIDTH);
    private final Tensor head = normal(3, 128, WIDTH);
    private final Tensor weight = scope.full(1, DType.F32, WIDTH);
    private final Tensor bias = scope.zeros(DType.F32, WIDTH);
    private final long[] labels = new Random(4).longs(TOKENS, 0, 128).toArray();
    private final List<Tensor> parameters = List.of(qkv, head, weight, bias);
    private final Optimizer optimizer = AdamW.open(parameters, AdamW.Config.defaults());

    private Tensor normal(int seed, long... shape) {
      float[] values = new float[(int) (shape[0] * shape[1])];
      Random random = new Random(seed);
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (0.1 * random.nextGaussian());
      }
      return scope.of(values, shape);
    }

    private Tensor loss(Scope s) {
      Ragged batch = Ragged.of(s, 0, 40, TOKENS);
      Tensor out = Tape.checkpoint(s, x, (t, in) -> attention(t, in, batch));
      return Loss.hiddenKey(s, out, Elementwise.tanh(s, out), head, labels, 1.0 / TOKENS, 1, true)
          .total();
    }

    private Tensor attention(Scope s, Tensor in, Ragged batch) {
      Tensor normed = Norm.layerNorm(s, in, weight, bias, 1e-5);
      Tensor[] parts = Layout.split(s, Matmul.linear(s, normed, qkv, null), 1, WIDTH, WIDTH, WIDTH);
      Tensor[] q = new Tensor[3];
      for (int i = 0; i < 3; i++) {
        q[i] = Layout.unflatten(s, parts[i], HEADS, WIDTH / HEADS);
      }
      Tensor mixed = Attention.attend(s, q[0], q[1], q[2], batch, true, null, 0.25);
      return Elementwise.add(s, in, Layout.reshape(s, mixed, TOKENS, WIDTH));
    }

    double step() {
      try (Scope step = Scope.open()) {
        Gradients gradients = Tape.gradients(step, parameters, this::loss);
        List<Tensor> all =
            parameters.stream().map(p -> Objects.requireNonNull(gradients.of(p))).toList();
        optimizer.step(Clip.clip(step, all, Clip.norm(step, all), 1), 1e-3);
        return gradients.value().item();
      }
    }

    @Override
    public void close() {
      optimizer.close();
      scope.close();
    }
  }

  @Test
  void liveTensorsAreConstantOverSteps() {
    try (Block block = new Block()) {
      double first = block.step();
      long tensors = NativeMemory.liveTensors();
      long bytes = NativeMemory.liveBytes();
      double last = first;
      for (int i = 0; i < 30; i++) {
        last = block.step();
        assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
        assertThat(NativeMemory.liveBytes()).isEqualTo(bytes);
      }
      assertThat(last).as("it learns").isLessThan(first);
    }
    assertThat(NativeMemory.liveTensors()).isZero();
  }

  /// In a JVM of its own: the heap is touched as it starts and the optimizing compiler, whose
  /// memory alone grows by 8 MB in these steps, is off, so that what grows is ours.
  @Test
  @Tag("slow")
  void aThousandStepsLeaveNothing() throws IOException, InterruptedException {
    Assumptions.assumeTrue(Files.isReadable(STATUS), "Linux's /proc");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms64m",
                "-Xmx64m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                SoakTest.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    long[] found = Arrays.stream(output.strip().split(" ")).mapToLong(Long::parseLong).toArray();
    System.out.printf("RSS at step 100: %,d bytes, at step 1,000: %,d%n", found[0], found[1]);
    assertThat(found[2]).as("live tensors at the end").isZero();
    assertThat(found[1] - found[0])
        .as("growth of RSS from step 100 to 1,000")
        .isLessThan(8 * MEBIBYTE);
  }

  /// Returns this process's classes as one class path, whether it runs on that or on modules.
  private static String classPath() {
    return Stream.concat(
            Stream.of(SoakTest.class, Scope.class).map(SoakTest::folder),
            Stream.of("jdk.module.path", "java.class.path")
                .map(System::getProperty)
                .filter(Objects::nonNull))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /// Returns the folder under which a class's packages lie.
  private static String folder(Class<?> type) {
    URL url = Objects.requireNonNull(type.getResource(type.getSimpleName() + ".class"));
    String packages = type.getPackageName().replace('.', '/');
    return Path.of(
            URI.create(
                url.toString().replace(packages + "/" + type.getSimpleName() + ".class", "")))
        .toString();
  }

  /// Prints RSS at steps 100 and 1,000, and the live tensors at the end.
  public static void main(String[] args) throws IOException {
    long at100 = 0;
    long at1000;
    try (Block block = new Block()) {
      for (int i = 1; i <= 1000; i++) {
        block.step();
        if (i == 100) {
          at100 = rss();
        }
      }
      at1000 = rss();
    }
    System.out.println(at100 + " " + at1000 + " " + NativeMemory.liveTensors());
  }

  private static long rss() throws IOException {
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new AssertionError("no VmRSS in " + STATUS);
  }
}
