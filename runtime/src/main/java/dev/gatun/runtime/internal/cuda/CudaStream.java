package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.MemorySegment;

/// A stream of our own beside libtorch's: what it is asked runs beside theirs, and only events say
/// what comes first.
///
/// Of the device on which it was opened. Not thread-safe.
final class CudaStream implements AutoCloseable {
  private final MemorySegment stream;
  private boolean closed;

  private CudaStream(MemorySegment stream) {
    this.stream = stream;
  }

  /// Opens a stream of the calling thread's device.
  @MustBeClosed
  static CudaStream open() {
    MemorySegment out = CudaThread.current().out();
    Driver.check(
        Cuda.cuStreamCreateWithPriority(out, Cuda.CU_STREAM_NON_BLOCKING(), 0), "cuStreamCreate");
    return new CudaStream(out.get(ADDRESS, 0));
  }

  /// Returns the stream for a call of the driver.
  MemorySegment handle() {
    if (closed) {
      throw new IllegalStateException("cuda stream: closed");
    }
    return stream;
  }

  /// Waits until everything is done that was asked of it.
  void synchronize() {
    Driver.check(Cuda.cuStreamSynchronize(handle()), "cuStreamSynchronize");
  }

  /// Frees it; what it was asked is done all the same.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Driver.check(Cuda.cuStreamDestroy_v2(stream), "cuStreamDestroy");
    }
  }
}
