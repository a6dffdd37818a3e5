package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.MemorySegment;

/// Work of a stream, captured once and launched again and again by one call.
///
/// Captured are our own kernels, with the addresses and numbers that they had. What allocates,
/// waits or copies pageable memory cannot be captured: libtorch's operations only as far as they
/// write to tensors that are there. Kernels must have been launched once before, for compiling and
/// loading cannot be captured either. Not thread-safe; memory that it reads or writes must stay.
public final class CudaGraph implements AutoCloseable {
  private final MemorySegment exec;
  private boolean closed;

  private CudaGraph(MemorySegment exec) {
    this.exec = exec;
  }

  /// Captures what a body asks of the current stream, which must not be the default one: see
  /// [CudaThread#onPoolStream].
  ///
  /// @param body runs on the calling thread; nothing of it is executed yet
  /// @return the captured work
  /// @throws dev.gatun.runtime.CudaException if something in it cannot be captured
  @MustBeClosed
  public static CudaGraph capture(Runnable body) {
    CudaThread thread = CudaThread.current();
    MemorySegment stream = thread.stream();
    if (stream.address() == 0) {
      throw new IllegalStateException(
          "cuda graph: found the default stream, expected one of the pool");
    }
    Driver.check(
        Cuda.cuStreamBeginCapture_v2(stream, Cuda.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL()),
        "cuStreamBeginCapture");
    boolean whole = false;
    MemorySegment graph;
    int ended;
    try {
      body.run();
      whole = true;
    } finally {
      ended = Cuda.cuStreamEndCapture(stream, thread.out());
      graph = ended == 0 ? thread.out().get(ADDRESS, 0) : MemorySegment.NULL;
      if (!whole) {
        destroy(graph); // and the body's own exception goes on
      }
    }
    Driver.check(ended, "cuStreamEndCapture");
    try {
      Driver.check(Cuda.cuGraphInstantiateWithFlags(thread.out(), graph, 0), "cuGraphInstantiate");
      return new CudaGraph(thread.out().get(ADDRESS, 0));
    } finally {
      destroy(graph);
    }
  }

  private static void destroy(MemorySegment graph) {
    if (graph.address() != 0) {
      Driver.check(Cuda.cuGraphDestroy(graph), "cuGraphDestroy");
    }
  }

  /// Launches the work on the current stream.
  public void launch() {
    if (closed) {
      throw new IllegalStateException("cuda graph: closed");
    }
    Driver.check(Cuda.cuGraphLaunch(exec, CudaThread.current().stream()), "cuGraphLaunch");
  }

  /// Frees it, when launches under way have ended.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Driver.check(Cuda.cuGraphExecDestroy(exec), "cuGraphExecDestroy");
    }
  }
}
