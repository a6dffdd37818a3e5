package dev.gatun.models.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Where an adapter's weights come from, each time that they are needed in memory.
sealed interface AdapterSource {
  /// A PEFT adapter directory.
  ///
  /// @param path the folder
  /// @param state what its files were when it was first read
  record Directory(Path path, List<String> state) implements AdapterSource {
    static Directory of(Path path) throws IOException {
      return new Directory(path, state(path));
    }

    private static List<String> state(Path path) throws IOException {
      List<String> files = new ArrayList<>();
      for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
        BasicFileAttributes file =
            Files.readAttributes(path.resolve(name), BasicFileAttributes.class);
        files.add(name + " " + file.size() + " " + file.lastModifiedTime() + " " + file.fileKey());
      }
      return files;
    }

    /// Refuses files that are not those of before: an adapter never changes under its handle.
    void checkUnchanged() throws IOException {
      if (!state(path).equals(state)) {
        throw new EngineException(
            EngineException.Kind.ADAPTER,
            "adapter " + path + ": its files have changed; load it again");
      }
    }

    @Override
    public String toString() {
      return path.toString();
    }
  }

  /// The sum of other adapters, each times a factor.
  record Combination(List<Part> parts) implements AdapterSource {
    @Override
    public String toString() {
      return parts.stream().map(Part::toString).collect(Collectors.joining(" + "));
    }
  }

  /// An adapter of a combination.
  record Part(AdapterHandle adapter, double weight) {
    @Override
    public String toString() {
      return weight + " " + adapter.name();
    }
  }

  /// Another adapter under a draw of an ensemble's masks: its branches alone, without what it
  /// replaces.
  record Draw(AdapterHandle adapter, AdapterEnsemble.Draw masks) implements AdapterSource {
    @Override
    public String toString() {
      return "draw %d of %s".formatted(masks.number(), adapter);
    }
  }
}
