package dev.gatun.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The inputs and outputs of jextract.sh, as paths. The tests run in the module's folder.
final class GeneratedFiles {
  static final Path MODULE = Path.of("").toAbsolutePath();
  static final Path ROOT = MODULE.resolveSibling("");
  static final Path INCLUDES = MODULE.resolve("includes");
  static final Path C_VIEWS = MODULE.resolve("src/main/c");
  static final Path RESOURCES = MODULE.resolve("src/main/resources/dev/gatun/bindings/torch");
  private static final Path JAVA = MODULE.resolve("src/main/java/dev/gatun/bindings");

  /// The folders in which jextract.sh owns every file, and the folder of its filters.
  static final List<Path> FOLDERS =
      List.of(
          INCLUDES,
          C_VIEWS,
          RESOURCES,
          JAVA.resolve("torch"),
          JAVA.resolve("cuda"),
          JAVA.resolve("cublas"),
          JAVA.resolve("nvrtc"),
          JAVA.resolve("nccl"));

  private GeneratedFiles() {}

  /// Returns the lines of a filter or list without comments and blank lines.
  static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }
}
