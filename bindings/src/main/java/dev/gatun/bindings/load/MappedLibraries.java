package dev.gatun.bindings.load;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/// The shared libraries in this process, as Linux lists them in `/proc/self/maps`.
final class MappedLibraries {
  private MappedLibraries() {}

  /// The mapped files whose name matches; empty on other systems.
  static List<Path> named(Pattern name) {
    Path maps = Path.of("/proc/self/maps");
    if (!Files.isReadable(maps)) {
      return List.of();
    }
    try {
      // Latin-1 accepts whatever bytes a path has.
      return Files.readAllLines(maps, StandardCharsets.ISO_8859_1).stream()
          .filter(line -> line.indexOf('/') > 0)
          .map(line -> Path.of(line.substring(line.indexOf('/'))))
          .filter(file -> name.matcher(file.getFileName().toString()).matches())
          .distinct()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
