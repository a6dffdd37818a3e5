package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.gatun.runtime.CudaException;
import dev.gatun.runtime.DeviceException;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.OutOfDeviceMemoryException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// What a device seldom shows: launches that are refused, memory that is out, what is left behind.
@EnabledIfSystemProperty(named = "gatun.cuda.fake", matches = "true")
@ExtendWith({CudaCondition.class, LeakCheck.class})
class FakeDriverTest {
  private static final CudaKernel GELU =
      CudaProgram.of("gelu.cu").kernel("gelu_forward", "ELEMENT=f32");

  private FakeCuda fake;
  private long bytesBefore;
  private int eventsBefore;
  private int pinnedBefore;

  @BeforeEach
  void install() {
    fake = FakeCuda.install();
    bytesBefore = fake.liveBytes();
    eventsBefore = fake.liveEvents;
    pinnedBefore = fake.livePinned();
  }

  @AfterEach
  void nothingIsLeft() {
    fake.plantedLaunch = 0;
    fake.plantedCompile = 0;
    assertThat(fake.failure).isNull();
    assertThat(fake.liveBytes()).isEqualTo(bytesBefore);
    assertThat(fake.liveEvents).isEqualTo(eventsBefore);
    assertThat(fake.livePinned()).isEqualTo(pinnedBefore);
  }

  @Test
  void theDeviceIsDescribed() {
    assertThat(Driver.missing()).isEmpty();
    assertThat(Driver.version()).isEqualTo(13000);
    assertThat(Driver.devices())
        .containsExactly(new Driver.Properties(0, "Fake", 90, 132, FakeCuda.TOTAL));
    assertThat(CudaThread.current().device()).isZero();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CudaThread.current().use(1))
        .withMessage("cuda device: found 1, expected 0 to 0");
  }

  @Test
  void onlyAddressesOfADeviceAreItsMemory() {
    try (Arena arena = Arena.ofConfined();
        DeviceMemory memory = DeviceMemory.allocate(256)) {
      DeviceMemory.check(memory.address(), 256, 0);
      DeviceMemory.check(memory.address() + 255, 1, 0);
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> DeviceMemory.check(memory.address(), 257, 0))
          .withMessageMatching("device memory: found 0x[0-9a-f]+, expected an address on cuda:0");
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> DeviceMemory.check(PinnedMemory.allocate(arena, 64).address(), 1, 0))
          .withMessageContaining("expected an address on cuda:0");
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> DeviceMemory.check(memory.address(), 1, 1))
          .withMessageContaining("on cuda:0, expected an address on cuda:1");
    }
  }

  @Test
  void argumentsMustHaveTheKernelsSizes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GELU.launch().with(1L).with(2))
        .withMessage("kernel gelu_forward: argument 1: found 4 bytes, expected 8 bytes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GELU.launch().with(1L).with(2L).with(3L).with(1).with(1f))
        .withMessage("kernel gelu_forward: argument 4: found 4 bytes, expected no more");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GELU.launch().with(1L).with(2L).run(1, 32))
        .withMessage("kernel gelu_forward: found 2 arguments, expected 4");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GELU.launch().with(1L).with(2L).with(0L).with(1).run(0, 32))
        .withMessage("kernel gelu_forward: found 0 blocks, expected 1 to 2^31 - 1");
    Launch ended = GELU.launch().with(1L).with(2L).with(0L).with(1);
    ended.run(1, 32);
    assertThatIllegalStateException().isThrownBy(() -> ended.run(1, 32));
  }

  @Test
  void aRefusedLaunchNamesKernelAndShapeAndTheNextOneGoesOn() {
    fake.plantedLaunch = 701;
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> GELU.launch().with(1L).with(2L).with(0L).with(1).run(7, 64))
        .withMessage(
            "cuLaunchKernel gelu_forward<<<(7, 1, 1), 64, 0>>>: FAKE_ERROR_701: planted (code 701)")
        .satisfies(e -> assertThat(e.code()).isEqualTo(701));
    fake.plantedLaunch = 0;
    int before = fake.launches;
    GELU.launch().with(1L).with(2L).with(0L).with(1).run(7, 64);
    assertThat(fake.launches).isEqualTo(before + 1);
  }

  @Test
  void anUnknownKernelIsAnError() {
    CudaKernel none = CudaProgram.of("gelu.cu").kernel("no_such", "ELEMENT=f32");
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(none::launch)
        .withMessageContaining("cuModuleGetFunction no_such");
  }

  @Test
  void memoryThatIsOutTellsWhatThereIsAndTheProcessGoesOn() {
    try (DeviceMemory some = DeviceMemory.allocate(1000)) {
      assertThat(some.bytes()).isEqualTo(1000);
      assertThatExceptionOfType(OutOfDeviceMemoryException.class)
          .isThrownBy(() -> DeviceMemory.allocate(FakeCuda.TOTAL))
          .withMessage(
              "cuMemAlloc: out of device memory: asked for %d bytes, %d of %d are free (code 2)"
                  .formatted(FakeCuda.TOTAL, FakeCuda.TOTAL - bytesBefore - 1000, FakeCuda.TOTAL));
    }
    DeviceMemory.allocate(FakeCuda.TOTAL - bytesBefore).close();
  }

  @Test
  void closedOrTooSmallMemoryIsRefused() {
    DeviceMemory memory = DeviceMemory.allocate(8);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(8);
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> memory.write(host, 1))
          .withMessage("device memory: found bytes 1 to 9, expected within 8");
      memory.close();
      memory.close();
      assertThatIllegalStateException().isThrownBy(() -> memory.read(0, host));
    }
  }

  @Test
  void eventsLiveUntilTheyAreClosed() {
    CudaEvent start = CudaEvent.open(true);
    try (CudaEvent end = CudaEvent.open(true)) {
      assertThat(end.isReached()).isFalse();
      start.record();
      GELU.launch().with(1L).with(2L).with(0L).with(1).run(1, 32);
      end.record();
      end.delayStream();
      end.await();
      assertThat(end.isReached()).isTrue();
      assertThat(end.millisSince(start)).isEqualTo(1); // the fake counts launches
    }
    start.close();
    start.close();
    assertThatIllegalStateException().isThrownBy(start::record);
  }

  @Test
  void pinnedMemoryIsTheArenas() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = PinnedMemory.allocate(arena, 100);
      assertThat(memory.byteSize()).isEqualTo(100);
      memory.set(JAVA_BYTE, 99, (byte) 1);
      assertThat(fake.livePinned()).isEqualTo(pinnedBefore + 1);
    }
  }

  @Test
  void theDefaultStreamIsNotCaptured() {
    assertThatIllegalStateException()
        .isThrownBy(() -> CudaGraph.capture(() -> {}))
        .withMessage("cuda graph: found the default stream, expected one of the pool");
  }

  @Test
  void programsAreCompiledOnceAndForEachChangeAgain(@TempDir Path folder) throws IOException {
    KernelCompiler.keepIn(folder.resolve("kernels"));
    int before = fake.compilations;
    byte[] once = KernelCompiler.compile("a.cu", "int a;", 90, List.of());
    assertThat(KernelCompiler.compile("a.cu", "int a;", 90, List.of())).isEqualTo(once);
    assertThat(fake.compilations).isEqualTo(before + 1);

    KernelCompiler.compile("a.cu", "int b;", 90, List.of());
    KernelCompiler.compile("a.cu", "int a;", 80, List.of());
    KernelCompiler.compile("a.cu", "int a;", 90, List.of("ELEMENT=f32"));
    assertThat(fake.compilations).isEqualTo(before + 4);

    try (Stream<Path> kept = Files.list(folder.resolve("kernels"))) {
      for (Path file : kept.toList()) {
        Files.writeString(file, "damaged");
      }
    }
    assertThat(KernelCompiler.compile("a.cu", "int a;", 90, List.of())).isEqualTo(once);
    assertThat(fake.compilations).isEqualTo(before + 5);
  }

  @Test
  void aCompilersErrorCarriesItsLog() {
    fake.plantedCompile = 6;
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> KernelCompiler.compile("a.cu", "int c;", 90, List.of()))
        .withMessageContaining("FAKE_NVRTC_ERROR_6")
        .withMessageContaining("--gpu-architecture=sm_90")
        .withMessageContaining("planted log");
  }
}
