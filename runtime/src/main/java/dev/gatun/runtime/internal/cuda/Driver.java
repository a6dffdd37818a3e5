package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.cuda.Cuda;
import dev.gatun.bindings.load.CudaLibrary;
import dev.gatun.runtime.CudaException;
import dev.gatun.runtime.OutOfDeviceMemoryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The CUDA driver and its devices. Thread-safe.
///
/// A failure is a [CudaException] with the driver's own name and text of its code.
public final class Driver {
  private static final int NAME_BYTES = 256;
  private static final int OUT_OF_MEMORY = 2; // CUDA_ERROR_OUT_OF_MEMORY
  private static final int NOT_READY = 600; // CUDA_ERROR_NOT_READY

  private Driver() {}

  /// A device.
  ///
  /// @param index its number
  /// @param name as the driver tells it
  /// @param architecture compute capability, 10 times the major number plus the minor: 90 is 9.0
  /// @param multiprocessors their number
  /// @param bytes of its memory
  public record Properties(
      int index, String name, int architecture, int multiprocessors, long bytes) {}

  /// Memory of a device, in bytes, of all processes.
  ///
  /// @param free what can be allocated
  /// @param total what there is
  public record Memory(long free, long total) {}

  /// What was found at the first use.
  private record Found(@Nullable String missing, int version, List<Properties> devices) {
    static final Found HERE = look();

    private static Found look() {
      Optional<String> missing = CudaLibrary.DRIVER.missing();
      if (missing.isPresent()) {
        return without("no NVIDIA driver: " + missing.get());
      }
      int code = Cuda.cuInit(0);
      if (code != 0) {
        return without("cuInit: " + text(code));
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment out = arena.allocate(JAVA_LONG);
        check(Cuda.cuDriverGetVersion(out), "cuDriverGetVersion");
        int version = out.get(JAVA_INT, 0);
        check(Cuda.cuDeviceGetCount(out), "cuDeviceGetCount");
        int count = out.get(JAVA_INT, 0);
        List<Properties> devices = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          devices.add(properties(arena, i));
        }
        String none = count == 0 ? "the NVIDIA driver shows no device" : null;
        return new Found(none, version, List.copyOf(devices));
      }
    }

    private static Found without(String missing) {
      return new Found(missing, 0, List.of());
    }

    private static Properties properties(Arena arena, int index) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(Cuda.cuDeviceGet(out, index), "cuDeviceGet");
      int device = out.get(JAVA_INT, 0);
      MemorySegment name = arena.allocate(NAME_BYTES);
      check(Cuda.cuDeviceGetName(name, NAME_BYTES, device), "cuDeviceGetName");
      check(Cuda.cuDeviceTotalMem_v2(out, device), "cuDeviceTotalMem");
      long bytes = out.get(JAVA_LONG, 0);
      int major = attribute(out, Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR(), device);
      int minor = attribute(out, Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR(), device);
      int processors = attribute(out, Cuda.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT(), device);
      return new Properties(index, name.getString(0), 10 * major + minor, processors, bytes);
    }

    private static int attribute(MemorySegment out, int attribute, int device) {
      check(Cuda.cuDeviceGetAttribute(out, attribute, device), "cuDeviceGetAttribute");
      return out.get(JAVA_INT, 0);
    }
  }

  /// {@return why there is no CUDA device; empty where there is one}
  public static Optional<String> missing() {
    return Optional.ofNullable(Found.HERE.missing);
  }

  /// {@return the CUDA version that the driver offers: 13000 is 13.0}
  public static int version() {
    return Found.HERE.version;
  }

  /// {@return the devices, by their numbers}
  public static List<Properties> devices() {
    return Found.HERE.devices;
  }

  /// {@return the memory of the calling thread's device}
  public static Memory memory() {
    CudaThread.current();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(2 * JAVA_LONG.byteSize());
      check(Cuda.cuMemGetInfo_v2(out, out.asSlice(8)), "cuMemGetInfo");
      return new Memory(out.get(JAVA_LONG, 0), out.get(JAVA_LONG, 8));
    }
  }

  /// Throws the driver's name and text if a call failed.
  ///
  /// @param code what it returned
  /// @param function the C function, and what for
  public static void check(int code, String function) {
    if (code != 0) {
      throw new CudaException(function, code, text(code));
    }
  }

  /// As [#check], for a call that allocates.
  static void checkAllocation(int code, String function, long bytes) {
    if (code == OUT_OF_MEMORY) {
      Memory memory = memory();
      throw new OutOfDeviceMemoryException(function, code, bytes, memory.free, memory.total);
    }
    check(code, function);
  }

  /// Returns whether what was asked of the device is done.
  static boolean isDone(int code, String function) {
    if (code == NOT_READY) {
      return false;
    }
    check(code, function);
    return true;
  }

  private static String text(int code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(Cuda.C_POINTER);
      String name = Cuda.cuGetErrorName(code, out) == 0 ? string(out) : "unknown";
      return Cuda.cuGetErrorString(code, out) == 0 ? name + ": " + string(out) : name;
    }
  }

  private static String string(MemorySegment out) {
    return out.get(Cuda.C_POINTER, 0).getString(0);
  }
}
