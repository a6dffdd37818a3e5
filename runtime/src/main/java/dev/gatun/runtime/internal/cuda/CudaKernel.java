package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A kernel of a [CudaProgram], compiled and loaded at its first launch on each device.
/// Thread-safe.
public final class CudaKernel {
  private static final int INVALID_VALUE = 1; // CUDA_ERROR_INVALID_VALUE: past the last parameter

  private final CudaProgram program;
  private final List<String> defines;
  private final String name;
  private volatile @Nullable Loaded[] loaded = new @Nullable Loaded[0];

  /// A kernel on one device.
  ///
  /// @param name of the kernel
  /// @param function the driver's handle
  /// @param offsets of its parameters, in bytes
  /// @param sizes of its parameters, in bytes
  record Loaded(String name, MemorySegment function, int[] offsets, int[] sizes) {}

  CudaKernel(CudaProgram program, List<String> defines, String name) {
    this.program = program;
    this.defines = defines;
    this.name = name;
  }

  /// {@return the calling thread's launch, ready to take this kernel's arguments}
  ///
  /// @throws dev.gatun.runtime.CudaException if the kernel cannot be compiled or loaded
  public Launch launch() {
    CudaThread thread = CudaThread.current();
    return thread.launch().of(on(thread.device()));
  }

  private Loaded on(int device) {
    @Nullable Loaded[] all = loaded;
    Loaded here = device < all.length ? all[device] : null;
    return here == null ? load(device) : here;
  }

  private synchronized Loaded load(int device) {
    @Nullable Loaded[] all = Arrays.copyOf(loaded, Math.max(loaded.length, device + 1));
    Loaded here = all[device];
    if (here == null) {
      here = load(program.module(defines, device));
      all[device] = here;
      loaded = all;
    }
    return here;
  }

  private Loaded load(MemorySegment module) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(2 * JAVA_LONG.byteSize());
      MemorySegment text = arena.allocateFrom(name);
      Driver.check(Cuda.cuModuleGetFunction(out, module, text), "cuModuleGetFunction " + name);
      MemorySegment function = out.get(ADDRESS, 0);
      int[] offsets = new int[64];
      int[] sizes = new int[64];
      int count = 0;
      for (int code = 0; ; count++) {
        code = Cuda.cuFuncGetParamInfo(function, count, out, out.asSlice(8));
        if (code == INVALID_VALUE || count == offsets.length) {
          break;
        }
        Driver.check(code, "cuFuncGetParamInfo " + name);
        offsets[count] = (int) out.get(JAVA_LONG, 0);
        sizes[count] = (int) out.get(JAVA_LONG, 8);
      }
      int bytes = count == 0 ? 0 : offsets[count - 1] + sizes[count - 1];
      Launch.checkFits(name, bytes, count);
      return new Loaded(name, function, Arrays.copyOf(offsets, count), Arrays.copyOf(sizes, count));
    }
  }

  /// Allows the kernel more dynamic shared memory than the 48 KiB that every kernel may use, on the
  /// calling thread's device.
  ///
  /// @param bytes the most that a launch will ask for
  public void allowShared(int bytes) {
    Loaded here = on(CudaThread.current().device());
    Driver.check(
        Cuda.cuFuncSetAttribute(
            here.function(), Cuda.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES(), bytes),
        "cuFuncSetAttribute " + name);
  }

  /// {@return registers of a thread and bytes of local memory that it spills, on the calling
  /// thread's device}
  public int[] registersAndSpills() {
    Loaded here = on(CudaThread.current().device());
    int[] values = new int[2];
    int[] attributes = {
      Cuda.CU_FUNC_ATTRIBUTE_NUM_REGS(), Cuda.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES()
    };
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      for (int i = 0; i < values.length; i++) {
        int code = Cuda.cuFuncGetAttribute(out, attributes[i], here.function());
        Driver.check(code, "cuFuncGetAttribute " + name);
        values[i] = out.get(JAVA_INT, 0);
      }
    }
    return values;
  }

  @Override
  public String toString() {
    return name + " " + defines;
  }
}
