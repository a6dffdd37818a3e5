package dev.gatun.runtime.internal.cuda;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Streams host memory to the device: threads fill the slots of a ring of pinned memory while the
/// device copies from the slots that are full, on a stream of its own.
///
/// | | |
/// |---|---|
/// | threads | fill slots and call nothing but the caller's filler |
/// | the calling thread | asks for the copies, in order |
/// | a slot's event | its last copy is done: it may be filled again |
///
/// A copy comes after what libtorch's current stream was asked before, and what that stream is
/// asked later comes after the copy. Confined to the thread, and of the device, that opened it.
public final class UploadRing implements AutoCloseable {
  /// One core copies 5 to 10 GB/s out of the page cache, a device takes 25 to 55.
  public static final int THREADS = Math.min(8, Runtime.getRuntime().availableProcessors());

  /// The ring is small, for pinning memory takes thirty times as long as copying it; 2 MiB keep a
  /// device busy for 40 us or more, several times what it takes to ask for a copy.
  public static final long SLOT_BYTES = 2L << 20;

  /// Pinned memory of a ring of the usual size that nobody uses: pinning takes as long as a tenth
  /// of the copies of a large model.
  private static final AtomicReference<@Nullable Pinned> KEPT = new AtomicReference<>();

  private final int threads;
  private final long slotBytes;
  private final boolean usual;
  private final Pinned pinned;
  private final ExecutorService pool;
  private final List<Slot> slots = new ArrayList<>();
  private final CudaStream stream;

  /// Fills a slot.
  @FunctionalInterface
  public interface Filler {
    /// Writes a part of the data, on a thread of the ring.
    ///
    /// @param from the part's first byte, counted from the beginning of the data
    /// @param slot written, as many bytes as the part has
    void fill(long from, MemorySegment slot);
  }

  /// Memory and what frees it.
  private record Pinned(Arena arena, MemorySegment memory) {
    static Pinned allocate(long bytes) {
      Arena arena = Arena.ofShared();
      try {
        return new Pinned(arena, PinnedMemory.allocate(arena, bytes));
      } catch (RuntimeException e) {
        arena.close();
        throw e;
      }
    }
  }

  private static final class Slot {
    private final MemorySegment memory;
    private final CudaEvent copied;
    private CompletableFuture<Void> filled = CompletableFuture.completedFuture(null);

    Slot(MemorySegment memory, CudaEvent copied) {
      this.memory = memory;
      this.copied = copied;
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with the ring
  private UploadRing(int threads, long slotBytes, boolean usual) {
    this.threads = threads;
    this.slotBytes = slotBytes;
    this.usual = usual;
    int count = 2 * threads; // one half is filled while the other is copied
    Pinned kept = usual ? KEPT.getAndSet(null) : null;
    pinned = kept == null ? Pinned.allocate(count * slotBytes) : kept;
    stream = CudaStream.open();
    pool =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("gatun-upload-", 0).factory());
    try {
      for (int i = 0; i < count; i++) {
        MemorySegment slot = pinned.memory.asSlice(i * slotBytes, slotBytes);
        slots.add(new Slot(slot, CudaEvent.open(false)));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /// Opens a ring for the calling thread's device. Its pinned memory is kept for the next one.
  ///
  /// @return the ring
  @MustBeClosed
  public static UploadRing open() {
    return new UploadRing(THREADS, SLOT_BYTES, true);
  }

  /// Opens a ring of another size.
  ///
  /// @param threads that fill; there are twice as many slots
  /// @param slotBytes size of a slot
  /// @return the ring
  @MustBeClosed
  public static UploadRing open(int threads, long slotBytes) {
    return new UploadRing(threads, slotBytes, false);
  }

  /// Copies data to the device. On return all of it was read, and the device may still be copying.
  ///
  /// @param address of the device memory
  /// @param bytes of the data
  /// @param filler gives the data
  /// @throws dev.gatun.runtime.CudaException if the driver refuses; what the filler throws goes on
  ///   to the caller
  public void copy(long address, long bytes, Filler filler) {
    MemorySegment current = CudaThread.current().stream();
    CudaThread.follow(stream.handle(), current);
    long parts = (bytes + slotBytes - 1) / slotBytes;
    try {
      long begun = 0;
      for (long part = 0; part < parts; part++) {
        for (; begun < Math.min(parts, part + threads); begun++) {
          begin(slot(begun), begun * slotBytes, bytes, filler);
        }
        copy(slot(part), address, part * slotBytes, bytes);
      }
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    } finally {
      slots.forEach(slot -> slot.filled.exceptionally(thrown -> null).join());
      CudaThread.follow(current, stream.handle());
    }
  }

  private Slot slot(long part) {
    return slots.get((int) (part % slots.size()));
  }

  private MemorySegment part(Slot slot, long from, long bytes) {
    return slot.memory.asSlice(0, Math.min(slotBytes, bytes - from));
  }

  private void begin(Slot slot, long from, long bytes, Filler filler) {
    slot.copied.await();
    MemorySegment part = part(slot, from, bytes);
    slot.filled = CompletableFuture.runAsync(() -> filler.fill(from, part), pool);
  }

  private void copy(Slot slot, long address, long from, long bytes) {
    slot.filled.join();
    MemorySegment part = part(slot, from, bytes);
    Driver.check(
        Cuda.cuMemcpyHtoDAsync_v2(address + from, part, part.byteSize(), stream.handle()),
        "cuMemcpyHtoDAsync");
    slot.copied.recordOn(stream.handle());
  }

  /// Waits for the copies and frees everything. Closing twice does nothing.
  @Override
  public void close() {
    if (pool.isShutdown()) {
      return;
    }
    pool.close();
    try (stream) {
      stream.synchronize();
      slots.forEach(slot -> slot.copied.close());
    } finally {
      if (!usual || !KEPT.compareAndSet(null, pinned)) {
        pinned.arena.close();
      }
    }
  }
}
