package dev.gatun.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The libtorch of the native jars on the test class path, unpacked and opened.
final class ShippedLibTorch {
  private static final List<String> LIBRARIES =
      List.of(
          "openblas/linux-x86_64/libquadmath.so.0",
          "openblas/linux-x86_64/libgfortran.so.5",
          "openblas/linux-x86_64/libopenblas.so.0",
          "pytorch/linux-x86_64/libgomp.so.1",
          "pytorch/linux-x86_64/libc10.so",
          "pytorch/linux-x86_64/libtorch_cpu.so");

  private ShippedLibTorch() {}

  /// Opens the libraries in the order in which they need each other. They stay open.
  static void open() throws IOException {
    Path folder = Files.createTempDirectory("gatun");
    for (String library : LIBRARIES) {
      Path file = folder.resolve(Path.of(library).getFileName());
      String resource = "org/bytedeco/" + library;
      try (InputStream in = ClassLoader.getSystemResourceAsStream(resource)) {
        if (in == null) {
          throw new IOException("not on the class path: " + resource);
        }
        Files.copy(in, file);
        SymbolLookup.libraryLookup(file, Arena.global());
      }
    }
    // An open library needs no name.
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Files.delete(folder);
  }
}
