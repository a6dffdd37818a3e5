package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.bindings.load.LibTorch;
import dev.gatun.runtime.CudaException;
import dev.gatun.runtime.CudaReport;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.DeviceException;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.OutOfDeviceMemoryException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;

/// What only a device can show.
@Tag("gpu")
@DisabledIfSystemProperty(named = "gatun.cuda.fake", matches = "true")
@SuppressWarnings("restricted")
@ExtendWith({CudaCondition.class, LeakCheck.class})
class CudaDeviceTest {
  private static final CudaKernel GELU =
      CudaProgram.of("gelu.cu").kernel("gelu_forward", "ELEMENT=f32");
  private static final int COUNT = 1 << 16;
  private static final long BYTES = 4L * COUNT;

  private static void gelu(DeviceMemory memory) {
    GELU.launch()
        .with(memory.address())
        .with(memory.address())
        .with((long) COUNT)
        .with(true)
        .run(COUNT / 4 / 256, 256);
  }

  @Test
  void theReportNamesDeviceAndLibraries() {
    CudaReport report = CudaReport.read();
    System.out.println("cuda: " + report);
    assertThat(report.devices()).isNotEmpty();
    assertThat(report.devices().getFirst().freeBytes())
        .isPositive()
        .isLessThanOrEqualTo(report.devices().getFirst().totalBytes());
    assertThat(report.nvrtc()).matches("\\d+\\.\\d+");
    assertThat(report.twice()).isEmpty();
  }

  @Test
  void pinnedMemoryEventsAndAKernelOnOneStream() {
    try (Arena arena = Arena.ofConfined();
        DeviceMemory memory = DeviceMemory.allocate(BYTES);
        CudaEvent start = CudaEvent.open(true);
        CudaEvent end = CudaEvent.open(true)) {
      MemorySegment host = PinnedMemory.allocate(arena, BYTES);
      for (int i = 0; i < COUNT; i++) {
        host.setAtIndex(JAVA_FLOAT, i, 3);
      }
      memory.write(host, 0);
      start.record();
      gelu(memory);
      end.record();
      memory.read(0, host);
      CudaThread.current().synchronize();
      assertThat(host.getAtIndex(JAVA_FLOAT, COUNT - 1)).isCloseTo(2.99636f, within(1e-5f));
      assertThat(end.isReached()).isTrue();
      assertThat(end.millisSince(start)).isPositive().isLessThan(1000);
    }
  }

  /// Memory of a library that is not libtorch, here the driver's own.
  @Test
  void foreignMemoryIsATensorOfItsDevice() {
    assumeTrue(LibTorch.load().withoutCuda().isEmpty(), "no libtorch_cuda");
    try (Arena arena = Arena.ofConfined();
        DeviceMemory memory = DeviceMemory.allocate(12)) {
      memory.write(arena.allocateFrom(JAVA_FLOAT, 1, 2, 3), 0);
      CudaThread.current().synchronize();
      try (Scope scope = Scope.open(Device.CUDA)) {
        MemorySegment foreign =
            MemorySegment.ofAddress(memory.address()).reinterpret(12, arena, null);
        Tensor tensor = scope.borrow(foreign, DType.F32, 3);
        assertThat(Elementwise.add(scope, tensor, tensor).toFloats()).containsExactly(2, 4, 6);
        MemorySegment host = arena.allocate(12, 4);
        assertThatExceptionOfType(DeviceException.class)
            .isThrownBy(() -> scope.borrow(host, DType.F32, 3))
            .withMessageContaining("expected an address on cuda:0");
        assertThat(tensor.toFloats()).as("the device goes on").containsExactly(1, 2, 3);
      }
    }
  }

  @Test
  void aGraphRunsWhatWasCaptured() {
    assumeTrue(LibTorch.load().withoutCuda().isEmpty(), "no libtorch_cuda: no stream to capture");
    try (Arena arena = Arena.ofConfined();
        DeviceMemory memory = DeviceMemory.allocate(BYTES)) {
      MemorySegment host = PinnedMemory.allocate(arena, BYTES);
      host.fill((byte) 0);
      host.setAtIndex(JAVA_FLOAT, 5, 10);
      memory.write(host, 0);
      gelu(memory); // loads the kernel
      CudaThread thread = CudaThread.current();
      thread.onPoolStream(() -> {
        try (CudaGraph graph =
            CudaGraph.capture(() -> {
              for (int i = 0; i < 10; i++) {
                gelu(memory);
              }
            })) {
          host.setAtIndex(JAVA_FLOAT, 5, 1);
          memory.write(host, 0);
          graph.launch();
          memory.read(0, host);
          thread.synchronize();
        }
      });
      double expected = 1;
      for (int i = 0; i < 10; i++) {
        double u = Math.sqrt(2 / Math.PI) * (expected + 0.044715 * expected * expected * expected);
        expected = 0.5 * expected * (1 + Math.tanh(u));
      }
      assertThat(host.getAtIndex(JAVA_FLOAT, 5)).isCloseTo((float) expected, within(1e-5f));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() ->
              thread.onPoolStream(() -> {
                CudaGraph.capture(
                        () -> {
                          throw new IllegalArgumentException("planted");
                        })
                    .close();
              }))
          .withMessage("planted");
      gelu(memory);
      thread.synchronize();
    }
  }

  @Test
  void aBadLaunchAndMemoryThatIsOutAreExceptionsAndTheProcessGoesOn() {
    try (DeviceMemory memory = DeviceMemory.allocate(BYTES)) {
      assertThatExceptionOfType(CudaException.class)
          .isThrownBy(() ->
              GELU.launch()
                  .with(memory.address())
                  .with(memory.address())
                  .with(0L)
                  .with(0)
                  .run(1, 1, 1, 256, 1 << 20))
          .withMessageContaining("CUDA_ERROR_INVALID_VALUE");
      assertThatExceptionOfType(OutOfDeviceMemoryException.class)
          .isThrownBy(() -> DeviceMemory.allocate(1L << 45).close());
      gelu(memory);
      CudaThread.current().synchronize();
      assertThat(GELU.registersAndSpills()[1]).isZero();
    }
  }

  @Test
  void aLaunchTakesMicroseconds() {
    try (DeviceMemory memory = DeviceMemory.allocate(BYTES)) {
      double best = Double.POSITIVE_INFINITY;
      for (int round = 0; round < 30; round++) {
        long start = System.nanoTime();
        for (int i = 0; i < 500; i++) {
          gelu(memory);
        }
        best = Math.min(best, (System.nanoTime() - start) / 500e3);
        CudaThread.current().synchronize();
      }
      System.out.printf("cuda: a launch of 4 arguments takes %.2f us%n", best);
      assertThat(best).isLessThan(50);
    }
  }
}
