package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.MemorySegment;

/// A mark in a stream: it is reached when all that was asked of the stream before it is done.
///
/// Of the device on which it was opened. Not thread-safe.
public final class CudaEvent implements AutoCloseable {
  private final MemorySegment event;
  private boolean closed;

  private CudaEvent(MemorySegment event) {
    this.event = event;
  }

  /// Opens an event that is not recorded yet.
  ///
  /// @param timed whether it can be a side of [#millisSince], which makes it dearer
  /// @return the event
  @MustBeClosed
  public static CudaEvent open(boolean timed) {
    MemorySegment out = CudaThread.current().out();
    int flags = timed ? Cuda.CU_EVENT_DEFAULT() : Cuda.CU_EVENT_DISABLE_TIMING();
    Driver.check(Cuda.cuEventCreate(out, flags), "cuEventCreate");
    return new CudaEvent(out.get(ADDRESS, 0));
  }

  private MemorySegment event() {
    if (closed) {
      throw new IllegalStateException("cuda event: closed");
    }
    return event;
  }

  /// Records it on the current stream, again if it was recorded before.
  public void record() {
    recordOn(CudaThread.current().stream());
  }

  void recordOn(MemorySegment stream) {
    Driver.check(Cuda.cuEventRecord(event(), stream), "cuEventRecord");
  }

  /// Makes what a stream is asked from now on wait for it.
  void delay(MemorySegment stream) {
    Driver.check(Cuda.cuStreamWaitEvent(stream, event(), 0), "cuStreamWaitEvent");
  }

  /// Makes what the current stream is asked from now on wait for it.
  public void delayStream() {
    delay(CudaThread.current().stream());
  }

  /// {@return whether it is reached; true where it was never recorded}
  public boolean isReached() {
    return Driver.isDone(Cuda.cuEventQuery(event()), "cuEventQuery");
  }

  /// Waits until it is reached.
  public void await() {
    Driver.check(Cuda.cuEventSynchronize(event()), "cuEventSynchronize");
  }

  /// {@return milliseconds of the device between two events, both timed and reached}
  ///
  /// @param start the earlier one
  public float millisSince(CudaEvent start) {
    MemorySegment out = CudaThread.current().out();
    Driver.check(Cuda.cuEventElapsedTime_v2(out, start.event(), event()), "cuEventElapsedTime");
    return out.get(JAVA_FLOAT, 0);
  }

  /// Frees it; the driver waits with that until it is reached.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Driver.check(Cuda.cuEventDestroy_v2(event), "cuEventDestroy");
    }
  }
}
