package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.TestDevice;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.runtime.CudaReport;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/// A thousand training steps on a GPU: from the hundredth on its memory is as it was, by our own
/// count and by the driver's. On the simulated GPU fewer steps, and our own count alone.
///
/// The same ten batches come again and again, so that each step needs what one before it needed.
@Tag("gpu")
@EnabledIfSystemProperty(named = "gatun.test.device", matches = "cuda.*")
class DeviceSoakTest {
  private static final boolean SIMULATED = Boolean.getBoolean("gatun.cuda.simulated");
  private static final int SETTLED = SIMULATED ? 20 : 100;
  private static final int STEPS = SIMULATED ? 60 : 1000;

  /// libtorch takes small blocks from the driver 2 MiB at a time.
  private static final long TWO_BLOCKS = 4L << 20;

  private static long driverFree() {
    return SIMULATED ? 0 : CudaReport.read().devices().get(TestDevice.DEVICE.index()).freeBytes();
  }

  @Test
  void deviceMemoryIsFlat() throws IOException {
    long outside = NativeMemory.liveBytes(TestDevice.DEVICE);
    long[] free = new long[2];
    int[] steps = new int[1];
    Set<Long> bytes = new HashSet<>();
    Set<Long> tensors = new HashSet<>();
    TrainListener watcher =
        report -> {
          steps[0]++;
          if (steps[0] >= SETTLED) {
            bytes.add(NativeMemory.liveBytes(TestDevice.DEVICE));
            tensors.add(NativeMemory.liveTensors());
          }
          if (steps[0] == SETTLED) {
            free[0] = driverFree();
          }
          return true;
        };
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      TrainOptions options =
          Runs.options(Dropout.hiddenKey(0.1, 0.1, 1), Runs.inOrder(4, 1), 1e-4, STEPS);
      new Trainer(adapted.model(), adapted.adapter(), options, null)
          .run(Runs.rows("llama", 0, 40), null, false, watcher);
      free[1] = driverFree();
    }
    System.out.printf(
        "%s: %d steps, live bytes %s, free of the driver %,d at step %d, %,d at the end%n",
        TestDevice.DEVICE, steps[0], bytes, free[0], SETTLED, free[1]);
    assertThat(steps[0]).isEqualTo(STEPS);
    assertThat(bytes).hasSize(1);
    assertThat(tensors).hasSize(1);
    assertThat(free[0] - free[1]).as("taken from the driver").isLessThanOrEqualTo(TWO_BLOCKS);
    assertThat(NativeMemory.liveBytes(TestDevice.DEVICE)).isEqualTo(outside);
  }
}
