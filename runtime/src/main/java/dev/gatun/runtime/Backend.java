package dev.gatun.runtime;

import dev.gatun.runtime.internal.Installed;
import dev.gatun.runtime.internal.Vectors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// The libtorch that this process uses, and its threads.
///
/// It is found and opened at the first use of any tensor, or by [#open]; see the README for the
/// search order. Thread-safe.
public final class Backend {
  private Backend() {}

  /// Finds and opens libtorch now, if it is not open yet.
  ///
  /// @throws LinkageError if there is none, or one that cannot be used: what was tried and found,
  ///   and what to set
  public static void open() {
    Installed.open();
  }

  /// {@return libtorch's version, for instance `2.13.0`}
  public static String version() {
    return Installed.version();
  }

  /// {@return the folder that its libraries were opened from}
  public static Path folder() {
    return Installed.folder();
  }

  /// {@return the user's folder in which native libraries are unpacked, ours and those of modules
  /// above this one; it may not be there yet}
  ///
  /// It is what `GATUN_CACHE` names, else `gatun` in the system's folder for caches.
  public static Path cacheFolder() {
    return Installed.cacheFolder();
  }

  /// {@return which step of the search found it}
  public static String source() {
    return Installed.source();
  }

  /// {@return each step of the search and what came of it, one line each}
  public static List<String> searched() {
    return Installed.searched();
  }

  /// {@return the library of linear algebra that it was built with}
  public static String blas() {
    return Installed.blas();
  }

  /// {@return the environment variables that were set for it before it was opened}
  public static Map<String, String> variables() {
    return Installed.variables();
  }

  /// The numbers of threads in force.
  ///
  /// @param openMp of libtorch's own loops, on this thread
  /// @param openBlas of OpenBLAS, for the process; empty where it is not used
  /// @param mkl of MKL; empty where it is not used
  public record Threads(int openMp, OptionalInt openBlas, OptionalInt mkl) {}

  /// Sets how many threads the operations of this thread use.
  ///
  /// @param threads at least 1
  public static void setThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: found " + threads + ", expected at least 1");
    }
    Installed.setThreads(threads);
  }

  /// {@return the numbers of threads in force}
  public static Threads threads() {
    return Installed.threads();
  }

  /// {@return the processor's name and the features that matter to libtorch}
  public static String processor() {
    return Installed.processor();
  }

  /// {@return whether Gatun's own vector kernels are in use, with their width, or why not and what
  /// to do about it}
  ///
  /// They need `--add-modules jdk.incubator.vector` and a processor with vectors of 256 bits or
  /// more; `-Dgatun.kernels=off` switches them off. Without them libtorch computes everything.
  public static String kernels() {
    return Vectors.state();
  }
}
