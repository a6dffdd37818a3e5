package dev.gatun.runtime.internal;

import dev.gatun.bindings.load.CpuFeatures;
import dev.gatun.bindings.load.LibTorch;
import dev.gatun.bindings.load.NativeThreads;
import dev.gatun.runtime.Backend;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What was found of libtorch and of the processor, for the runtime's public face.
public final class Installed {
  private Installed() {}

  /// Opens libtorch.
  public static void open() {
    LibTorch.load();
  }

  /// Returns its version.
  public static String version() {
    return LibTorch.load().version();
  }

  /// Returns its folder.
  public static Path folder() {
    return LibTorch.load().folder();
  }

  /// Returns the user's folder for unpacked libraries.
  public static Path cacheFolder() {
    return LibTorch.cacheFolder();
  }

  /// Returns which step of the search found it.
  public static String source() {
    return LibTorch.load().source().place();
  }

  /// Returns each step of the search.
  public static List<String> searched() {
    return LibTorch.load().steps().stream().map(LibTorch.Step::toString).toList();
  }

  /// Returns its library of linear algebra.
  public static String blas() {
    return LibTorch.load().blas();
  }

  /// Returns the variables that were set for it.
  public static Map<String, String> variables() {
    return LibTorch.load().variables();
  }

  /// Sets the threads of the calling thread's operations.
  public static void setThreads(int threads) {
    LibTorch.load().threads().set(threads);
  }

  /// Returns the threads in force.
  public static Backend.Threads threads() {
    NativeThreads.Counts counts = LibTorch.load().threads().read();
    return new Backend.Threads(counts.openMp(), counts.openBlas(), counts.mkl());
  }

  /// Returns those of some features of processors, named as `/proc/cpuinfo` does, that this one
  /// lacks; none where its features are not known.
  public static List<String> lacking(List<String> features) {
    CpuFeatures cpu = CpuFeatures.detect();
    return cpu.flags().isEmpty()
        ? List.of()
        : features.stream().filter(feature -> !cpu.has(feature)).toList();
  }

  /// Returns the processor's name and features.
  public static String processor() {
    CpuFeatures cpu = CpuFeatures.detect();
    return (cpu.model() + " " + String.join(" ", cpu.flags())).strip();
  }
}
