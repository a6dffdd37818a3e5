package dev.gatun.bindings.load;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/// Sets and reads how many threads libtorch's kernels use. Thread-safe; each method says whether it
/// is about the calling thread or the process.
@SuppressWarnings("restricted")
public final class NativeThreads {
  private static final FunctionDescriptor GET = FunctionDescriptor.of(JAVA_INT);
  private static final FunctionDescriptor SET = FunctionDescriptor.ofVoid(JAVA_INT);
  private static final Pattern OPEN_MP = Pattern.compile("lib(gomp|iomp5|omp)\\b.*");

  private final MethodHandle torchGet;
  private final Optional<MethodHandle> openMpSet;
  private final Optional<MethodHandle> mklSet;
  private final Optional<MethodHandle> mklGet;
  private final Optional<MethodHandle> openBlasSet;
  private final Optional<MethodHandle> openBlasGet;

  /// The thread counts in force.
  ///
  /// @param openMp threads that an OpenMP region of the calling thread gets
  /// @param openBlas threads of OpenBLAS's own pool, empty where libtorch does not use OpenBLAS
  /// @param mkl threads that an MKL call of the calling thread gets, empty where there is no MKL
  /// @param processors processors that the JVM may use
  public record Counts(int openMp, OptionalInt openBlas, OptionalInt mkl, int processors) {}

  NativeThreads(SymbolLookup symbols) {
    torchGet =
        Linker.nativeLinker()
            .downcallHandle(
                symbols.findOrThrow("torch_get_num_threads"),
                FunctionDescriptor.of(JAVA_INT, ADDRESS));
    openMpSet = link(symbols, "omp_set_num_threads", SET);
    mklSet = link(symbols, "MKL_Set_Num_Threads_Local", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    mklGet = link(symbols, "MKL_Get_Max_Threads", GET);
    openBlasSet = link(symbols, "openblas_set_num_threads", SET);
    openBlasGet = link(symbols, "openblas_get_num_threads", GET);
  }

  private static Optional<MethodHandle> link(
      SymbolLookup symbols, String name, FunctionDescriptor descriptor) {
    return symbols
        .find(name)
        .map(address -> Linker.nativeLinker().downcallHandle(address, descriptor));
  }

  /// Sets the threads of OpenMP, and of MKL where there is one, for kernels that the calling thread
  /// starts. OpenBLAS is left alone, see [#setOpenBlas].
  ///
  /// The setting belongs to the operating system's thread: call it on every thread that computes,
  /// and not on a virtual thread.
  ///
  /// @param threads at least 1
  /// @throws IllegalArgumentException if `threads` is less than 1
  public void set(int threads) {
    requirePositive(threads);
    openMp(); // The first torch call of a thread resets the count: let that happen before.
    openMpSet.ifPresent(set -> run(set, threads));
    mklSet.ifPresent(set -> SystemLoader.call(() -> (int) set.invokeExact(threads)));
  }

  /// Sets the threads of OpenBLAS for the whole process; nothing happens where libtorch does not
  /// use OpenBLAS.
  ///
  /// More than 1 makes matrix products that go to OpenBLAS faster, but its pool and OpenMP's fight
  /// for the cores when they take turns.
  ///
  /// @param threads at least 1
  /// @throws IllegalArgumentException if `threads` is less than 1
  public void setOpenBlas(int threads) {
    requirePositive(threads);
    openBlasSet.ifPresent(set -> run(set, threads));
  }

  /// Reads all counts back from the libraries.
  ///
  /// @return the counts as the calling thread sees them
  public Counts read() {
    return new Counts(
        openMp(), get(openBlasGet), get(mklGet), Runtime.getRuntime().availableProcessors());
  }

  /// Lists the OpenMP runtimes in this process. More than one means two pools that do not know of
  /// each other.
  ///
  /// @return their files; empty on systems other than Linux
  public List<Path> openMpLibraries() {
    return MappedLibraries.named(OPEN_MP);
  }

  private int openMp() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      int code = SystemLoader.call(() -> (int) torchGet.invokeExact(count));
      if (code != 0) {
        throw new IllegalStateException("torch_get_num_threads failed with code " + code);
      }
      return count.get(JAVA_INT, 0);
    }
  }

  private static OptionalInt get(Optional<MethodHandle> getter) {
    return getter.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(SystemLoader.call(() -> (int) getter.get().invokeExact()));
  }

  private static void run(MethodHandle setter, int threads) {
    SystemLoader.call(() -> {
      setter.invokeExact(threads);
      return threads;
    });
  }

  private static void requirePositive(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: found " + threads + ", expected at least 1");
    }
  }
}
