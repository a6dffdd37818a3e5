package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.MemorySegment;

/// A block of device memory from the driver itself, past libtorch's allocator. Not thread-safe.
public final class DeviceMemory implements AutoCloseable {
  private final long address;
  private final long bytes;
  private boolean closed;

  private DeviceMemory(long address, long bytes) {
    this.address = address;
    this.bytes = bytes;
  }

  /// Allocates on the calling thread's device.
  ///
  /// @param bytes how many, at least 1
  /// @return the block, not zeroed, aligned to 256 bytes
  /// @throws dev.gatun.runtime.OutOfDeviceMemoryException if there is not that much
  @MustBeClosed
  public static DeviceMemory allocate(long bytes) {
    MemorySegment out = CudaThread.current().out();
    Driver.checkAllocation(Cuda.cuMemAlloc_v2(out, bytes), "cuMemAlloc", bytes);
    return new DeviceMemory(out.get(JAVA_LONG, 0), bytes);
  }

  /// {@return the address of the first byte}
  public long address() {
    if (closed) {
      throw new IllegalStateException("device memory: closed");
    }
    return address;
  }

  /// {@return the size in bytes}
  public long bytes() {
    return bytes;
  }

  private long range(long at, long size) {
    if (at < 0 || size < 0 || at > bytes - size) {
      throw new IndexOutOfBoundsException(
          "device memory: found bytes %d to %d, expected within %d"
              .formatted(at, at + size, bytes));
    }
    return address() + at;
  }

  /// Copies host memory to the device on the current stream.
  ///
  /// It returns at once where the host memory is pinned, which must then stay as it is until the
  /// stream has come so far.
  ///
  /// @param source host memory
  /// @param at first byte of the block that is written
  public void write(MemorySegment source, long at) {
    CudaThread thread = CudaThread.current();
    Driver.check(
        Cuda.cuMemcpyHtoDAsync_v2(
            range(at, source.byteSize()), source, source.byteSize(), thread.stream()),
        "cuMemcpyHtoDAsync");
  }

  /// Copies device memory to the host on the current stream, as [#write] does, and does not wait.
  ///
  /// @param at first byte of the block that is read
  /// @param target host memory
  public void read(long at, MemorySegment target) {
    CudaThread thread = CudaThread.current();
    Driver.check(
        Cuda.cuMemcpyDtoHAsync_v2(
            target, range(at, target.byteSize()), target.byteSize(), thread.stream()),
        "cuMemcpyDtoHAsync");
  }

  /// Frees the block, when everything is done that the device was asked to do.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      CudaThread.current();
      Driver.check(Cuda.cuMemFree_v2(address), "cuMemFree");
    }
  }
}
