package dev.gatun.bench.worker;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.DeviceMemory;
import dev.gatun.runtime.kernel.cuda.CudaSwiGlu;
import dev.gatun.runtime.op.Elementwise;
import java.util.Arrays;
import java.util.Map;

/// What it takes to ask a GPU for something small, in nanoseconds, without waiting for it: the
/// median of rounds after which the GPU catches up.
final class DispatchTimes {
  private static final int WARM_UP = 100;
  private static final int ROUNDS = 200;
  private static final int CALLS = 500; // a GPU's queue takes about a thousand
  private static final int ELEMENTS = 1024;

  private DispatchTimes() {}

  static Map<String, Object> of(Device device) {
    try (Scope scope = Scope.open(device);
        DeviceMemory memory = DeviceMemory.allocate(3 * 4 * ELEMENTS)) {
      Tensor a = scope.zeros(DType.F32, ELEMENTS);
      Tensor b = scope.zeros(DType.F32, ELEMENTS);
      long at = memory.address();
      return Map.of(
          "add",
          nanos(() -> scope.free(Elementwise.add(scope, a, b))),
          "launch",
          nanos(() ->
              CudaSwiGlu.forward(at, at + 4 * ELEMENTS, at + 8 * ELEMENTS, ELEMENTS, DType.F32)));
    }
  }

  private static double nanos(Runnable call) {
    double[] rounds = new double[ROUNDS];
    for (int i = -WARM_UP; i < ROUNDS; i++) {
      long start = System.nanoTime();
      for (int k = 0; k < CALLS; k++) {
        call.run();
      }
      double nanos = (System.nanoTime() - start) / (double) CALLS;
      CudaThread.current().synchronize();
      if (i >= 0) {
        rounds[i] = nanos;
      }
    }
    Arrays.sort(rounds);
    return rounds[ROUNDS / 2];
  }
}
