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

  private final AtomicInteger references = new AtomicInteger(1);
  private volatile int version;

  final Device device;

  /// Its first handle is there already.
  Storage(Device device, long bytes, boolean readOnly, @Nullable MemorySegment source) {
    this.device = device;
    this.bytes = bytes;
    this.readOnly = readOnly;
    this.source = source;
    if (source == null) {
      NativeMemory.addBytes(device, bytes);
      TensorAllocationEvent.emit(device, bytes);
    }
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
    if (references.decrementAndGet() == 0 && source == null) {
      NativeMemory.removeBytes(device, bytes);
    }
  }
}
