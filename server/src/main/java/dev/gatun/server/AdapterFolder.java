package dev.gatun.server;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The one folder that requests may load adapters from.
final class AdapterFolder {
  private static final String PARAM = "lora_path";

  private final Path root;

  /// @throws IOException if there is no such folder
  AdapterFolder(Path folder) throws IOException {
    this.root = folder.toRealPath();
  }

  /// Returns the adapters that lie directly in the folder.
  List<Path> list() throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      return entries
          .filter(entry -> Files.isRegularFile(entry.resolve("adapter_config.json")))
          .sorted()
          .toList();
    }
  }

  /// Finds an adapter.
  ///
  /// @param path within the folder, or absolute
  /// @return its real path, within the folder, as those of all its files are
  /// @throws ApiException if it is not in the folder, or not there
  /// @throws IOException if it cannot be looked at
  Path find(String path) throws IOException {
    Path wanted;
    try {
      wanted = root.resolve(path).normalize();
    } catch (InvalidPathException e) {
      throw ApiException.field(PARAM, "a text that is none", "a path");
    }
    // before anything is looked up: what lies outside shall not be told from what does not exist
    checkInside(wanted);
    if (!Files.isDirectory(wanted)) {
      throw ApiException.notFound(
          PARAM, PARAM + ": found no such directory, expected an adapter's");
    }
    Path real = wanted.toRealPath();
    checkInside(real);
    for (Path file : files(real)) {
      checkInside(file.toRealPath());
    }
    return real;
  }

  private static List<Path> files(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    try (Stream<Path> entries = Files.list(directory)) {
      entries.filter(Files::exists).forEach(files::add);
    }
    return files;
  }

  private void checkInside(Path path) {
    if (!path.startsWith(root) || path.equals(root)) {
      throw ApiException.forbidden(
          PARAM, PARAM + ": found a path outside, expected one within the folder of adapters");
    }
  }

  /// Returns a message without the folder's own place.
  String hide(String message) {
    return message.replace(root + File.separator, "");
  }
}
