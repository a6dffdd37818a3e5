package dev.gatun.runtime;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What all tensors over the same memory share: where it lies, its size, how many handles there
/// are, whether it may be written, and how often it was.
final class Storage {
  final long bytes;
  final boolean readOnly;

  /// The caller's segment where the memory is borrowed: it must be alive at each use.
  final @Nullable MemorySegment source;

  private final @Nullable Runnable whenUnused;
  private final AtomicInteger references = new AtomicInteger(1);
  private volatile int version;

  final Device device;

  private Storage(
      Device device,
      long bytes,
      boolean readOnly,
      @Nullable MemorySegment source,
      @Nullable Runnable whenUnused) {
    this.device = device;
    this.bytes = bytes;
    this.readOnly = readOnly;
    this.source = source;
    this.whenUnused = whenUnused;
  }

  /// Returns memory that libtorch allocated. Its first handle is there already.
  static Storage own(Device device, long bytes) {
    NativeMemory.addBytes(device, bytes);
    TensorAllocationEvent.emit(device, bytes);
    return new Storage(device, bytes, false, null, () -> NativeMemory.removeBytes(device, bytes));
  }

  /// Returns the memory of the caller's segment.
  static Storage borrowed(Device device, long bytes, MemorySegment source) {
    return new Storage(device, bytes, source.isReadOnly(), source, null);
  }

  /// Returns memory of another library, which is told when the last handle has gone.
  static Storage lent(Device device, long bytes, boolean readOnly, Runnable whenUnused) {
    return new Storage(device, bytes, readOnly, null, whenUnused);
  }

  int version() {
    return version;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes to a tensor at a time
  void written() {
    version++;
  }

  /// Counts one more handle.
  Storage acquire() {
    references.getAndIncrement();
    return this;
  }

  void release() {
    if (references.decrementAndGet() == 0 && whenUnused != null) {
      whenUnused.run();
    }
  }
}
