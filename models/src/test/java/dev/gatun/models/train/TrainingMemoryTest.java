package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Memory of long runs: live tensors are flat from step to step and zero at the end.
class TrainingMemoryTest {
  private static final TrainOptions HIDDEN_KEY =
      Runs.options(Dropout.hiddenKey(0.1, 0.1, 1), BatchOptions.shuffled(4, 1), 1e-4, 50);

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

  @Test
  @Tag("slow")
  void residentMemoryOfThousandStepsIsFlat() throws IOException {
    long outside = NativeMemory.liveTensors();
    long[] resident = new long[2];
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainListener watcher =
          report -> {
            if (report.step() == 100) {
              resident[0] = residentBytes();
            } else if (report.step() == 1000) {
              resident[1] = residentBytes();
            }
            return true;
          };
      TrainOptions options = Runs.options(HIDDEN_KEY.dropout(), HIDDEN_KEY.batches(), 1e-4, 1000);
      new Trainer(adapted.model(), adapted.adapter(), options, null)
          .run(Runs.rows("llama", 0, 40), null, false, watcher);
    }
    assertThat(resident[1] - resident[0]).isLessThan(8L << 20);
    assertThat(NativeMemory.liveTensors()).isEqualTo(outside);
  }

  /// The heap is collected first, so that what grows is native.
  private static long residentBytes() {
    System.gc();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException("/proc/self/status: found no VmRSS");
  }
}
