package dev.gatun.runtime;

import dev.gatun.runtime.internal.cuda.Report;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What there is of CUDA in this process.
///
/// @param missing why tensors cannot be on CUDA devices, or null where they can
/// @param driver version of the driver and the CUDA version that it offers, such as `580.65 (CUDA
///   13.0)`; null where there is none
/// @param devices the devices
/// @param nvrtc version of the compiler of our own kernels, or why there is none
/// @param libraries the CUDA libraries that are open
/// @param twice names of libraries of which more than one file is open; expected are none
public record CudaReport(
    @Nullable String missing,
    @Nullable String driver,
    List<Device> devices,
    String nvrtc,
    List<Path> libraries,
    List<String> twice) {
  /// A device.
  ///
  /// @param name as the driver tells it
  /// @param computeCapability such as 9.0
  /// @param multiprocessors their number
  /// @param totalBytes of its memory
  /// @param freeBytes of its memory, after all processes; of all but the thread's device unknown,
  ///   which is -1
  public record Device(
      String name,
      String computeCapability,
      int multiprocessors,
      long totalBytes,
      long freeBytes) {}

  /// {@return what there is now; opens libtorch, the driver and the compiler}
  public static CudaReport read() {
    return Report.read();
  }
}
