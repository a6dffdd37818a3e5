package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Tiny random models with a tokenizer of words.
final class TaskFixtures {
  static final Path PARITY = Path.of("../models/src/test/resources/parity");

  private TaskFixtures() {}

  /// Returns a copy of a model of the fixtures with the tokenizer beside it.
  ///
  /// @param directory where the copy is made, once
  static Path model(Path directory, String name) throws IOException {
    Path target = directory.resolve(name);
    if (!Files.exists(target)) {
      Files.createDirectories(target);
      try (Stream<Path> files = Files.list(PARITY.resolve(name))) {
        for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
          Files.copy(file, target.resolve(file.getFileName()));
        }
      }
      Files.copy(
          Path.of("src/test/resources/tasks/tokenizer.json"), target.resolve("tokenizer.json"));
    }
    return target;
  }
}
