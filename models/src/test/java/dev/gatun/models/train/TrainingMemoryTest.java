package dev.gatun.models.train;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Memory of long runs: live tensors are flat from step to step and zero at the end.
class TrainingMemoryTest {
  private static final TrainOptions HIDDEN_KEY =
      Runs.options(Dropout.hiddenKey(0.1, 0.1, 1), BatchOptions.shuffled(4, 1), 1e-4, 50);

  private static final Path STATUS = Path.of("/proc/self/status");

  @Test
  void fiftyStepsLeaveLiveTensorsFlat() throws IOException {
    long outside = NativeMemory.liveTensors();
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      long before = NativeMemory.liveTensors();
      Set<Long> live = new HashSet<>();
      Set<Long> bytes = new HashSet<>();
      TrainListener watcher =
          report -> {
            live.add(NativeMemory.liveTensors());
            bytes.add(report.nativeBytes());
            return true;
          };
      new Trainer(adapted.model(), adapted.adapter(), HIDDEN_KEY, null)
          .run(Runs.rows("llama", 0, 40), Runs.rows("llama", 0, 8), false, watcher);
      assertThat(live).hasSize(1);
      assertThat(bytes).hasSize(1);
      assertThat(NativeMemory.liveTensors()).isEqualTo(before);
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(outside);
  }

  /// In a JVM of its own: the heap is touched as it starts, and the optimizing compiler, whose
  /// memory grows with the code it sees, is off, so that what grows is native memory of ours.
  @Test
  @Tag("slow")
  void residentMemoryOfThousandStepsIsFlat() throws IOException, InterruptedException {
    Assumptions.assumeTrue(Files.isReadable(STATUS), "Linux's /proc");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms128m",
                "-Xmx128m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                TrainingMemoryTest.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    long[] found =
        Arrays.stream(output.strip().split(" ", -1)).mapToLong(Long::parseLong).toArray();
    assertThat(found[1] - found[0])
        .as("growth of RSS from %,d bytes at step 100 to step 1,000", found[0])
        .isLessThan(8L << 20);
    assertThat(found[2]).as("live tensors at the end").isZero();
  }

  /// Returns this process's classes as one class path, whether it runs on that or on modules.
  private static String classPath() {
    Class<?> self = TrainingMemoryTest.class;
    String file = self.getName().replace('.', '/') + ".class";
    String url = requireNonNull(self.getResource(self.getSimpleName() + ".class")).toString();
    String folder = Path.of(URI.create(url.substring(0, url.length() - file.length()))).toString();
    return Stream.of(
            folder, System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
        .filter(Objects::nonNull)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /// Prints the resident bytes at steps 100 and 1,000, and the live tensors at the end.
  public static void main(String[] args) throws IOException {
    long[] resident = new long[2];
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainOptions options = Runs.options(HIDDEN_KEY.dropout(), HIDDEN_KEY.batches(), 1e-4, 1000);
      TrainListener watcher =
          report -> {
            if (report.step() == 100) {
              resident[0] = residentBytes();
            } else if (report.step() == 1000) {
              resident[1] = residentBytes();
            }
            return true;
          };
      new Trainer(adapted.model(), adapted.adapter(), options, null)
          .run(Runs.rows("llama", 0, 40), null, false, watcher);
    }
    System.out.println(resident[0] + " " + resident[1] + " " + NativeMemory.liveTensors());
  }

  private static long residentBytes() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException(STATUS + ": found no VmRSS");
  }
}
