package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Host memory that the device reads and writes by itself, so that copies run beside everything
/// else.
public final class PinnedMemory {
  private PinnedMemory() {}

  /// {@return pinned memory, an ordinary segment that the arena frees; not zeroed}
  ///
  /// It takes milliseconds to pin memory: keep and reuse it. The arena must not be closed before
  /// the copies that use it are done.
  ///
  /// @param arena its owner
  /// @param bytes how many, at least 1
  /// @throws dev.gatun.runtime.CudaException if the driver has none
  @SuppressWarnings("restricted")
  public static MemorySegment allocate(Arena arena, long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("pinned memory: found " + bytes + " bytes, expected 1+");
    }
    MemorySegment out = CudaThread.current().out();
    Driver.check(
        Cuda.cuMemHostAlloc(out, bytes, Cuda.CU_MEMHOSTALLOC_PORTABLE()),
        "cuMemHostAlloc of " + bytes + " bytes");
    return out.get(ADDRESS, 0).reinterpret(bytes, arena, PinnedMemory::free);
  }

  private static void free(MemorySegment memory) {
    CudaThread.current();
    Driver.check(Cuda.cuMemFreeHost(memory), "cuMemFreeHost");
  }
}
