package dev.gatun.bench.worker;

import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.DeviceMemory;
import dev.gatun.runtime.internal.cuda.PinnedMemory;
import dev.gatun.runtime.internal.cuda.UploadRing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// How fast a file gets from the page cache to the GPU, and each part of the way alone, in bytes a
/// second: what is pinned goes to the GPU, the mapped file or the file read goes to pinned memory
/// by some threads, and rings of some sizes do both.
final class TransferRates {
  private static final int REPEATS = 5;
  private static final long MEBIBYTE = 1L << 20;
  private static final long PINNED = 256 * MEBIBYTE;
  private static final int[] THREADS = {1, 4, 8, 16};

  /// Threads and MiB of a slot.
  private static final int[][] RINGS = {{4, 2}, {4, 4}, {8, 1}, {8, 2}, {8, 4}, {8, 16}, {16, 2}};

  private final Path file;
  private final long bytes;

  private TransferRates(Path file, long bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  /// Work on some bytes of the file.
  @FunctionalInterface
  private interface Part {
    void run(long from, MemorySegment slot);
  }

  static Map<String, Object> of(Path model) throws IOException {
    Path file = model.resolve("model.safetensors");
    long bytes;
    try (FileChannel channel = FileChannel.open(file)) {
      bytes = channel.size();
    }
    return new TransferRates(file, bytes).measure();
  }

  private Map<String, Object> measure() throws IOException {
    Map<String, Object> rates = new LinkedHashMap<>();
    rates.put("bytes", bytes);
    try (Arena arena = Arena.ofShared();
        DeviceMemory target = DeviceMemory.allocate(bytes)) {
      long start = System.nanoTime();
      MemorySegment pinned = PinnedMemory.allocate(arena, PINNED);
      rates.put("pinning", PINNED * 1e9 / (System.nanoTime() - start));
      rates.put("pinned", pinnedCopies(target, pinned, PINNED));
      rates.put("pinned_by_slots", pinnedCopies(target, pinned, UploadRing.SLOT_BYTES));
      for (int threads : THREADS) {
        rates.put("mapped_to_pinned_" + threads, mapped(pinned, threads));
        rates.put("read_to_pinned_" + threads, read(pinned, threads));
      }
      for (int[] ring : RINGS) {
        rates.put(
            "ring_%d_x_%d".formatted(ring[0], ring[1]), ring(target, ring[0], ring[1] * MEBIBYTE));
      }
    }
    return rates;
  }

  /// Returns the rate of the fastest of some runs, each over the whole file.
  private double fastest(Runnable run) {
    double best = 0;
    for (int i = 0; i < REPEATS; i++) {
      long start = System.nanoTime();
      run.run();
      best = Math.max(best, bytes * 1e9 / (System.nanoTime() - start));
    }
    return best;
  }

  private double pinnedCopies(DeviceMemory target, MemorySegment pinned, long slot) {
    return fastest(() -> {
      for (long at = 0; at < bytes; at += slot) {
        target.write(pinned.asSlice(0, Math.min(slot, bytes - at)), at);
      }
      CudaThread.current().synchronize();
    });
  }

  private void divided(MemorySegment pinned, int threads, Part part) {
    long slot = UploadRing.SLOT_BYTES;
    Thread[] workers =
        IntStream.range(0, threads)
            .mapToObj(i ->
                Thread.ofPlatform()
                    .start(() -> {
                      for (long at = i * slot; at < bytes; at += threads * slot) {
                        part.run(at, pinned.asSlice(i * slot, Math.min(slot, bytes - at)));
                      }
                    }))
            .toArray(Thread[]::new);
    for (Thread worker : workers) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /// Each run maps the file anew, as opening a model does.
  private double mapped(MemorySegment pinned, int threads) {
    return fastest(() ->
        withMapping(data ->
            divided(
                pinned,
                threads,
                (from, slot) -> MemorySegment.copy(data, from, slot, 0, slot.byteSize()))));
  }

  private void withMapping(Consumer<MemorySegment> body) {
    try (Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(file)) {
      body.accept(channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private double read(MemorySegment pinned, int threads) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return fastest(() -> divided(pinned, threads, (from, slot) -> read(channel, from, slot)));
    }
  }

  private static void read(FileChannel channel, long from, MemorySegment slot) {
    ByteBuffer buffer = slot.asByteBuffer();
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, from + buffer.position()) < 0) {
          throw new IllegalStateException("the file was cut short");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Opening and closing of the ring count.
  private double ring(DeviceMemory target, int threads, long slotBytes) {
    return fastest(() ->
        withMapping(data -> {
          try (UploadRing ring = UploadRing.open(threads, slotBytes)) {
            ring.copy(
                target.address(),
                bytes,
                (from, slot) -> MemorySegment.copy(data, from, slot, 0, slot.byteSize()));
          }
        }));
  }
}
