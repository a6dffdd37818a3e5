package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.gatun.bindings.cuda.Cuda;
import dev.gatun.bindings.load.LibTorch;
import dev.gatun.bindings.torch.TorchCuda;
import dev.gatun.runtime.internal.Shim;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// What CUDA keeps for each thread: the device, through its primary context, which is libtorch's
/// too, and libtorch's current stream. Beside it the block from which the thread's launches pass
/// their arguments.
///
/// A thread that has no context yet gets device 0; [#use] chooses another. Platform threads only: a
/// virtual thread may wake up on a carrier with another context.
public final class CudaThread {
  private static final ThreadLocal<CudaThread> CURRENT = ThreadLocal.withInitial(CudaThread::new);
  private static final boolean HAS_TORCH = LibTorch.load().withoutCuda().isEmpty();
  private static final @Nullable MemorySegment[] CONTEXTS =
      new @Nullable MemorySegment[Driver.devices().size()];

  // As long as the process, for threads that launch are few and live long.
  private final MemorySegment out = Arena.global().allocate(ADDRESS);
  private final Launch launch = new Launch(this);
  private int device;

  private CudaThread() {
    Driver.missing()
        .ifPresent(text -> {
          throw new IllegalStateException("cuda: " + text);
        });
    Driver.check(Cuda.cuCtxGetCurrent(out), "cuCtxGetCurrent");
    if (out.get(ADDRESS, 0).address() == 0) {
      enter(0);
    } else {
      Driver.check(Cuda.cuCtxGetDevice(out), "cuCtxGetDevice");
      device = out.get(JAVA_INT, 0);
    }
  }

  /// {@return the calling thread's; it has a context}
  ///
  /// @throws IllegalStateException if there is no CUDA device
  public static CudaThread current() {
    return CURRENT.get();
  }

  /// Makes a device that of this thread.
  ///
  /// @param number of the device
  public void use(int number) {
    if (number < 0 || number >= CONTEXTS.length) {
      throw new IllegalArgumentException(
          "cuda device: found " + number + ", expected 0 to " + (CONTEXTS.length - 1));
    }
    enter(number);
  }

  private void enter(int number) {
    Driver.check(Cuda.cuCtxSetCurrent(context(number, out)), "cuCtxSetCurrent");
    device = number;
  }

  private static MemorySegment context(int number, MemorySegment out) {
    synchronized (CONTEXTS) {
      MemorySegment context = CONTEXTS[number];
      if (context == null) {
        Driver.check(Cuda.cuDevicePrimaryCtxRetain(out, number), "cuDevicePrimaryCtxRetain");
        context = out.get(ADDRESS, 0);
        CONTEXTS[number] = context;
      }
      return context;
    }
  }

  /// {@return the number of this thread's device}
  public int device() {
    return device;
  }

  /// {@return libtorch's current stream on this thread, on which everything here runs; the default
  /// stream where libtorch has no CUDA}
  public MemorySegment stream() {
    if (!HAS_TORCH) {
      return MemorySegment.NULL;
    }
    int code = TorchCuda.aoti_torch_get_current_cuda_stream(device, out);
    Shim.check(code, "get_current_cuda_stream");
    return out.get(ADDRESS, 0);
  }

  /// Waits until everything is done that was asked of the current stream.
  public void synchronize() {
    Driver.check(Cuda.cuStreamSynchronize(stream()), "cuStreamSynchronize");
  }

  /// Waits until everything is done that was asked of the current stream of a device.
  ///
  /// @param number of the device
  public void synchronize(int number) {
    int before = device;
    use(number);
    try {
      synchronize();
    } finally {
      use(before);
    }
  }

  /// Runs a body with a stream of libtorch's pool as the current one, as a capture needs it: the
  /// default stream cannot be captured. What the body asks for comes after what was asked before,
  /// and what follows comes after it.
  ///
  /// @param body what to run
  public void onPoolStream(Runnable body) {
    MemorySegment before = stream();
    Shim.check(
        TorchCuda.torch_get_cuda_stream_from_pool(false, device, out), "get_cuda_stream_from_pool");
    MemorySegment stream = out.get(ADDRESS, 0);
    follow(stream, before);
    setStream(stream);
    try {
      body.run();
    } finally {
      setStream(before);
      follow(before, stream);
    }
  }

  private void setStream(MemorySegment stream) {
    Shim.check(TorchCuda.torch_set_current_cuda_stream(stream, device), "set_current_cuda_stream");
  }

  /// Makes what one stream is asked from now on wait for what another was asked so far.
  static void follow(MemorySegment later, MemorySegment earlier) {
    try (CudaEvent event = CudaEvent.open(false)) {
      event.recordOn(earlier);
      event.delay(later);
    }
  }

  Launch launch() {
    return launch;
  }

  /// A pointer's place for a call that returns one.
  MemorySegment out() {
    return out;
  }
}
