package dev.gatun.bindings.load;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.load.LibTorch.Step;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// libtorch's libraries, opened and of a version that can be used.
///
/// @param version what libtorch says of itself
/// @param folder the folder of the libraries
/// @param libraries the opened files in order
/// @param symbols the symbols of libtorch and of what it depends on
/// @param withoutCuda why the CUDA half is not open, or empty where it is
@SuppressWarnings("restricted")
record OpenedLibraries(
    Version version,
    Path folder,
    List<Path> libraries,
    SymbolLookup symbols,
    Optional<String> withoutCuda) {
  private static final Version OLDEST = new Version(2, 10, 0);
  private static final int FATAL = 3;

  /// Checks the folder's version and opens its libraries by absolute path.
  ///
  /// @throws LibTorchLinkError naming the place, what was found and what is wanted
  static OpenedLibraries open(
      Platform platform, SystemLoader loader, Search.Found found, List<Step> steps) {
    try {
      Path folder = found.folder();
      Optional<Version> told = Version.ofFolder(folder);
      if (told.isPresent()) {
        requireSupported(told.get(), folder);
      }
      requireNoOther(platform, folder);
      List<Path> files = files(platform, folder);
      List<MemorySegment> handles = new ArrayList<>();
      Path cuda = folder.resolve(platform.fileName("torch_cuda"));
      List<String> without = new ArrayList<>();
      if (Files.exists(cuda)) {
        for (Path file : CudaLibrary.first(folder)) {
          open(
              loader, file, new ArrayList<>()); // what is needed and missing, libtorch itself names
        }
      } else {
        without.add(folder + " has no " + cuda.getFileName() + ": this libtorch is for the CPU");
      }
      for (Path file : files) {
        if (platform.isLinux()) {
          ElfFile.check(file, platform.arch());
        }
        // MKL's parts use symbols of each other that they do not name; PyTorch does the same.
        boolean visible = file.getFileName().toString().contains("torch_global_deps");
        handles.add(loader.open(file, visible));
      }
      if (without.isEmpty()) {
        CudaLibrary.DRIVER.missing().ifPresent(text -> without.add("no NVIDIA driver: " + text));
      }
      if (without.isEmpty()) {
        open(loader, cuda, without).ifPresent(handles::add);
      }
      SymbolLookup symbols = loader.symbols(handles);
      return new OpenedLibraries(
          version(folder, platform, symbols), folder, files, symbols, without.stream().findFirst());
    } catch (IOException e) {
      String advice =
          switch (found.source()) {
            case PROPERTY, GATUN_LIBTORCH, LIBTORCH ->
                "correct or remove " + found.source().place();
            case CLASS_PATH ->
                "set "
                    + NativeCache.VARIABLE
                    + " to another folder, or GATUN_LIBTORCH to a libtorch";
            case PYTHON -> "set GATUN_LIBTORCH to the folder of another libtorch";
          };
      throw new LibTorchLinkError(
          "cannot use libtorch from "
              + found.source().place()
              + ": "
              + e.getMessage()
              + "; "
              + advice,
          steps,
          e);
    }
  }

  /// Opens a library that the CPU can do without.
  private static Optional<MemorySegment> open(
      SystemLoader loader, Path file, List<String> failures) {
    try {
      return Optional.of(loader.open(file, false));
    } catch (IOException e) {
      failures.add(String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static List<Path> files(Platform platform, Path folder) {
    List<Path> files = new ArrayList<>();
    files.add(folder.resolve(platform.fileName("torch_global_deps")));
    platform.bundled().forEach(library -> files.add(folder.resolve(library.file())));
    files.removeIf(file -> !Files.exists(file));
    return List.copyOf(files);
  }

  private static Version version(Path folder, Platform platform, SymbolLookup symbols)
      throws IOException {
    Path torch = folder.resolve(platform.torchCpu());
    for (String name : List.of("aoti_torch_abi_version", "torch_call_dispatcher")) {
      if (symbols.find(name).isEmpty()) {
        throw new IOException(
            "%s lacks %s; expected libtorch %s or newer".formatted(torch, name, OLDEST));
      }
    }
    MethodHandle abiVersion =
        downcall(symbols.findOrThrow("aoti_torch_abi_version"), FunctionDescriptor.of(JAVA_LONG));
    Version version = Version.ofAbi(SystemLoader.call(() -> (long) abiVersion.invokeExact()));
    requireSupported(version, folder);
    return version;
  }

  private static void requireSupported(Version version, Path folder) throws IOException {
    if (version.compareTo(OLDEST) < 0) {
      throw new IOException(
          "found version %s in %s, expected %s or newer".formatted(version, folder, OLDEST));
    }
  }

  // Two libtorch in one process share names: the second one would be bound to parts of the first.
  private static void requireNoOther(Platform platform, Path folder) throws IOException {
    Pattern name = Pattern.compile("libc10\\.so|" + Pattern.quote(platform.torchCpu()));
    for (Path mapped : MappedLibraries.named(name)) {
      Path ours = folder.resolve(mapped.getFileName().toString());
      if (!Files.exists(ours) || !Files.exists(mapped) || !Files.isSameFile(ours, mapped)) {
        throw new IOException(
            "this process has already opened %s, so %s cannot be opened beside it"
                .formatted(mapped, folder));
      }
    }
  }

  /// Keeps a libtorch older than 2.13 from printing a backtrace for each error that it reports.
  /// From 2.13 on it hands the text out and prints nothing.
  void silenceErrors() {
    if (symbols.find("torch_exception_get_what").isEmpty()) {
      symbols
          .find("FLAGS_caffe2_log_level")
          .ifPresent(level -> level.reinterpret(JAVA_INT.byteSize()).set(JAVA_INT, 0, FATAL));
    }
  }

  /// The library behind the matrix products, as it describes itself.
  String blas() {
    Optional<MemorySegment> openBlas = symbols.find("openblas_get_config");
    if (openBlas.isPresent()) {
      MethodHandle config = downcall(openBlas.get(), FunctionDescriptor.of(ADDRESS));
      MemorySegment text = SystemLoader.call(() -> (MemorySegment) config.invokeExact());
      return text.reinterpret(Long.MAX_VALUE).getString(0).strip();
    }
    return symbols.find("MKL_Get_Max_Threads").isPresent() ? "MKL" : "unknown";
  }

  private static MethodHandle downcall(MemorySegment address, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(address, descriptor);
  }
}
