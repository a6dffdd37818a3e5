package dev.gatun.bindings.load;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// How libtorch's files are called on one operating system and processor.
///
/// @param os `linux`, `macosx` or `windows`, as in the classifiers of the native jars
/// @param arch `x86_64`, `arm64` or the JDK's own name for anything else
record Platform(String os, String arch) {

  /// One shared library of a native jar.
  ///
  /// @param artifact `openblas` or `pytorch`, the jar and resource folder that hold it
  /// @param file its file name
  /// @param required whether libtorch cannot do without it
  record Library(String artifact, String file, boolean required) {}

  static Platform current() {
    return of(System.getProperty("os.name"), System.getProperty("os.arch"));
  }

  static Platform of(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String os =
        name.startsWith("mac") ? "macosx" : name.startsWith("windows") ? "windows" : "linux";
    String arch =
        switch (osArch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "arm64";
          default -> osArch;
        };
    return new Platform(os, arch);
  }

  boolean isWindows() {
    return os.equals("windows");
  }

  boolean isMac() {
    return os.equals("macosx");
  }

  boolean isLinux() {
    return os.equals("linux");
  }

  /// The classifier of the native jars, such as `linux-x86_64`.
  String classifier() {
    return os + "-" + arch;
  }

  /// The classifier of the native jar of a libtorch with CUDA, or null where Gatun uses none.
  @Nullable String cudaClassifier() {
    return isLinux() ? classifier() + "-gpu" : null;
  }

  /// The libraries that such a jar has beside those of [#bundled].
  List<Library> bundledForCuda() {
    return List.of(
        new Library("pytorch", "libc10_cuda.so", true),
        new Library("pytorch", "libtorch_cuda.so", true),
        new Library("pytorch", "libtorch_cuda_linalg.so", false));
  }

  String fileName(String library) {
    return switch (os) {
      case "windows" -> library + ".dll";
      case "macosx" -> "lib" + library + ".dylib";
      default -> "lib" + library + ".so";
    };
  }

  String torchCpu() {
    return fileName("torch_cpu");
  }

  /// The libraries of the native jars in the order in which they must be opened: each after those
  /// that it needs, since libgfortran would not find libquadmath by itself.
  List<Library> bundled() {
    return switch (os) {
      case "windows" ->
          List.of(
              new Library("openblas", "libopenblas.dll", true),
              new Library("pytorch", "uv.dll", false),
              new Library("pytorch", "c10.dll", true),
              new Library("pytorch", "torch_cpu.dll", true));
      case "macosx" ->
          List.of(
              new Library("openblas", "libopenblas.0.dylib", true),
              new Library("pytorch", "libomp.dylib", false), // since 2.13
              new Library("pytorch", "libiomp5.dylib", false), // before
              new Library("pytorch", "libc10.dylib", true),
              new Library("pytorch", "libtorch_cpu.dylib", true));
      default ->
          List.of(
              new Library("openblas", "libquadmath.so.0", false),
              new Library("openblas", "libgfortran.so.5", false),
              new Library("openblas", "libopenblas.so.0", true),
              new Library("pytorch", "libgomp.so.1", false),
              new Library("pytorch", "libc10.so", true),
              new Library("pytorch", "libtorch_cpu.so", true));
    };
  }
}
