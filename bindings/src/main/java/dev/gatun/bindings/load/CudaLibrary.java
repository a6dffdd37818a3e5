package dev.gatun.bindings.load;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The CUDA libraries that generated classes link with. Each is opened at its first use, and never
/// closed.
///
/// The driver is the system's. The others are looked for in the folder that the system property
/// `gatun.cuda` or the variable `GATUN_CUDA` names (of libraries, of a toolkit, or of NVIDIA's pip
/// packages), then among the NVIDIA packages beside a pip-installed torch, in libtorch's own
/// folder, in `CUDA_HOME`, `CUDA_PATH` and `/usr/local/cuda`, and at last where the system looks.
///
/// Thread-safe.
public enum CudaLibrary {
  /// The driver API.
  DRIVER("libcuda.so.1", "nvcuda.dll"),
  /// The compiler of CUDA C++.
  NVRTC("libnvrtc.so.13", "nvrtc64_130_0.dll"),
  /// cuBLAS.
  CUBLAS("libcublas.so.13", "cublas64_13.dll"),
  /// cuBLASLt.
  CUBLAS_LT("libcublasLt.so.13", "cublasLt64_13.dll"),
  /// NCCL.
  NCCL("libnccl.so.2", "nccl.dll");

  private static final String VARIABLE = "GATUN_CUDA";

  /// What libtorch with CUDA needs, each after what it needs itself.
  private static final List<String> NEEDED =
      List.of(
          "cudart",
          "cupti",
          "nvJitLink",
          "nvrtc",
          "cublasLt",
          "cublas",
          "cusparse",
          "cusolver",
          "cufft",
          "curand",
          "cufile",
          "nccl",
          "cusparseLt",
          "nvshmem_host",
          "cudnn");

  private static final Pattern MAPPED =
      Pattern.compile(
          "lib(cuda|cudart|cublas|cublasLt|nvJitLink|nvrtc|nvrtc-builtins|torch_cuda)\\.so.*");

  private final String soname;
  private final String dll;
  private @Nullable SymbolLookup symbols;
  private @Nullable String missing;

  CudaLibrary(String soname, String dll) {
    this.soname = soname;
    this.dll = dll;
  }

  /// Returns the library's symbols, which stay valid for the life of the process.
  ///
  /// @return a lookup that works from any class loader
  /// @throws UnsatisfiedLinkError if the library cannot be opened
  public synchronized SymbolLookup symbols() {
    open();
    if (symbols == null) {
      throw new UnsatisfiedLinkError(missing);
    }
    return symbols;
  }

  /// Tells why the library cannot be opened.
  ///
  /// @return the loader's own text; empty where it is open
  public synchronized Optional<String> missing() {
    open();
    return Optional.ofNullable(missing);
  }

  /// Puts other symbols in the library's place, for tests without a device. Generated classes keep
  /// those that they were linked with.
  ///
  /// @param others what to link with
  public synchronized void replace(SymbolLookup others) {
    symbols = others;
    missing = null;
  }

  /// Returns the CUDA libraries in this process, as Linux lists them.
  ///
  /// @return their files; empty on other systems
  public static List<Path> mapped() {
    return MappedLibraries.named(MAPPED);
  }

  private void open() {
    if (symbols != null || missing != null) {
      return;
    }
    Platform platform = Platform.current();
    SystemLoader loader = LibTorch.systemLoader(platform);
    String name = platform.isWindows() ? dll : soname;
    List<String> failures = new ArrayList<>();
    for (Path file : candidates(name)) {
      try {
        MemorySegment handle = loader.open(file, false);
        if (this == NVRTC) {
          openBuiltins(loader);
        }
        symbols = loader.symbols(List.of(handle));
        return;
      } catch (IOException e) {
        failures.add(String.valueOf(e.getMessage()));
      }
    }
    missing = String.join("; ", failures);
  }

  private Set<Path> candidates(String name) {
    Set<Path> files = new LinkedHashSet<>();
    if (this != DRIVER) {
      folders().map(folder -> folder.resolve(name)).filter(Files::exists).forEach(files::add);
    }
    files.add(Path.of(name));
    return files;
  }

  private static Stream<Path> folders() {
    Path torch = LibTorch.load().folder();
    Stream<Path> toolkits =
        Stream.of(environment("CUDA_HOME"), environment("CUDA_PATH"), "/usr/local/cuda")
            .flatMap(CudaLibrary::libraries);
    return Stream.of(named(), besideTorch(torch).stream(), Stream.of(torch), toolkits)
        .flatMap(folders -> folders);
  }

  private static Stream<Path> named() {
    return Stream.of(System.getProperty("gatun.cuda", ""), environment(VARIABLE))
        .flatMap(CudaLibrary::libraries);
  }

  private static String environment(String name) {
    return System.getenv().getOrDefault(name, "");
  }

  private static Stream<Path> libraries(String folder) {
    if (folder.isBlank()) {
      return Stream.empty();
    }
    Path path = Path.of(folder).toAbsolutePath();
    Stream<Path> own = Stream.of(path, path.resolve("lib64"), path.resolve("lib"));
    return Stream.concat(own, packages(path).stream());
  }

  private static List<Path> besideTorch(Path torch) {
    return packages(torch.resolve("../../nvidia").normalize());
  }

  /// The folders of libraries in NVIDIA's pip packages, newest CUDA first.
  private static List<Path> packages(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(each -> each.resolve("lib"))
          .filter(Files::isDirectory)
          .sorted(Comparator.reverseOrder())
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /// The libraries that are opened by their paths before a libtorch with CUDA, which else finds
  /// others or none: all that it needs where a folder is named, and those beside a torch that would
  /// be found elsewhere by `LD_LIBRARY_PATH`. Each stands after those that it needs itself.
  static List<Path> first(Path torch) {
    List<Path> files = new ArrayList<>();
    List<Path> named = named().toList();
    for (String library : NEEDED) {
      for (Path folder : named) {
        files.addAll(matching(folder, "lib" + library + ".so.*"));
      }
    }
    for (Path folder : besideTorch(torch)) {
      files.addAll(matching(folder, "lib{cublasLt,nvJitLink}.so.*"));
    }
    return files;
  }

  /// NVRTC opens its builtins by name at the first compilation, and does not look beside itself.
  private static void openBuiltins(SystemLoader loader) throws IOException {
    for (Path nvrtc : MappedLibraries.named(Pattern.compile("libnvrtc\\.so.*"))) {
      for (Path builtins : matching(nvrtc.getParent(), "libnvrtc-builtins.so.*")) {
        loader.open(builtins, false);
      }
    }
  }

  private static List<Path> matching(Path folder, String glob) {
    List<Path> files = new ArrayList<>();
    try (var found = Files.newDirectoryStream(folder, glob)) {
      found.forEach(files::add);
    } catch (IOException e) {
      return List.of();
    }
    return files;
  }
}
