package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.gatun.runtime.LeakCheck;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A ring of few small slots: each is filled again and again, and not before its copy is done. The
/// fake device copies as late as it may.
@Tag("gpu")
@ExtendWith({CudaCondition.class, LeakCheck.class})
class UploadRingTest {
  private int eventsBefore;
  private int pinnedBefore;

  @BeforeEach
  void count() {
    if (FakeCuda.isWanted()) {
      eventsBefore = FakeCuda.install().liveEvents;
      pinnedBefore = FakeCuda.install().livePinned();
    }
  }

  @AfterEach
  void nothingIsLeft() {
    if (FakeCuda.isWanted()) {
      FakeCuda fake = FakeCuda.install();
      assertThat(fake.failure).isNull();
      assertThat(fake.liveEvents).isEqualTo(eventsBefore);
      assertThat(fake.livePinned()).isEqualTo(pinnedBefore);
      assertThat(fake.liveStreams).isZero();
    }
  }

  private static byte[] random(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  private static UploadRing.Filler from(byte[] data) {
    return (from, slot) ->
        MemorySegment.copy(data, (int) from, slot, JAVA_BYTE, 0, (int) slot.byteSize());
  }

  private static byte[] read(DeviceMemory memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(memory.bytes());
      memory.read(0, host);
      CudaThread.current().synchronize();
      return host.toArray(JAVA_BYTE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,256,1",
    "1,256,256",
    "1,256,257",
    "1,256,4000",
    "3,512,512",
    "3,512,3072",
    "3,512,100001",
    "4,65536,3000000"
  })
  void everyByteArrives(int threads, long slotBytes, int bytes) {
    byte[] first = random(bytes);
    byte[] second = random(bytes + 1);
    try (UploadRing ring = UploadRing.open(threads, slotBytes);
        DeviceMemory one = DeviceMemory.allocate(bytes);
        DeviceMemory other = DeviceMemory.allocate(bytes + 1L)) {
      ring.copy(one.address(), bytes, from(first));
      ring.copy(other.address(), bytes + 1L, from(second));
      assertThat(read(one)).isEqualTo(first);
      assertThat(read(other)).isEqualTo(second);
    }
  }

  @Test
  void whatTheFillerThrowsReachesTheCallerAndTheRingGoesOn() {
    byte[] data = random(10_000);
    AtomicInteger calls = new AtomicInteger();
    try (UploadRing ring = UploadRing.open(2, 512);
        DeviceMemory memory = DeviceMemory.allocate(data.length)) {
      assertThatIllegalStateException()
          .isThrownBy(() ->
              ring.copy(
                  memory.address(),
                  data.length,
                  (from, slot) -> {
                    if (calls.incrementAndGet() == 7) {
                      throw new IllegalStateException("planted");
                    }
                  }))
          .withMessage("planted");
      ring.copy(memory.address(), data.length, from(data));
      assertThat(read(memory)).isEqualTo(data);
      ring.close();
    }
  }

  @Test
  void aCopyOfNothingDoesNothing() {
    try (UploadRing ring = UploadRing.open(2, 512)) {
      ring.copy(
          0,
          0,
          (from, slot) -> {
            throw new IllegalStateException("called");
          });
    }
  }
}
