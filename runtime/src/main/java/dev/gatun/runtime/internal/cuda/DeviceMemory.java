package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.bindings.cuda.Cuda;
import dev.gatun.runtime.DeviceException;
import java.lang.foreign.MemorySegment;

/// A block of device memory from the driver itself, past libtorch's allocator. Not thread-safe.
public final class DeviceMemory implements AutoCloseable {
  private static final int INVALID_VALUE = 1; // CUDA_ERROR_INVALID_VALUE: no memory of CUDA's
  private static final int MEMORY_TYPE = 2; // CU_POINTER_ATTRIBUTE_MEMORY_TYPE
  private static final int DEVICE_ORDINAL = 9; // CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
  private static final int DEVICE = 2; // CU_MEMORYTYPE_DEVICE

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

  /// Checks that some bytes begin and end in a device's memory, whoever allocated it: a kernel that
  /// is given other memory takes the whole context with it.
  ///
  /// @param address of the first byte
  /// @param bytes how many, at least 1
  /// @param device number of the device
  /// @throws DeviceException if they do not
  public static void check(long address, long bytes, int device) {
    check(address, device);
    check(address + bytes - 1, device);
  }

  private static void check(long address, int device) {
    MemorySegment out = CudaThread.current().out();
    int code = Cuda.cuPointerGetAttribute(out, MEMORY_TYPE, address);
    if (code != INVALID_VALUE) {
      Driver.check(code, "cuPointerGetAttribute");
    }
    if (code == INVALID_VALUE || out.get(JAVA_INT, 0) != DEVICE) {
      throw new DeviceException(
          "device memory: found 0x%x, expected an address on cuda:%d".formatted(address, device));
    }
    Driver.check(Cuda.cuPointerGetAttribute(out, DEVICE_ORDINAL, address), "cuPointerGetAttribute");
    int found = out.get(JAVA_INT, 0);
    if (found != device) {
      throw new DeviceException(
          "device memory: found 0x%x on cuda:%d, expected an address on cuda:%d"
              .formatted(address, found, device));
    }
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
