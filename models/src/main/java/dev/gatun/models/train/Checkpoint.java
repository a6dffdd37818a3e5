package dev.gatun.models.train;

import dev.gatun.models.hub.TensorEntries;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.optim.Optimizer;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// A run's state in one safetensors file: trained tensors, optimizer state, and the history as
/// metadata.
///
/// One file, written to a temporary name, forced to disk and renamed: a kill at any instant leaves
/// the one before. Masks need no state; they are functions of seed and step.
final class Checkpoint {
  private static final String PREFIX = "checkpoint-";
  private static final String SUFFIX = ".safetensors";
  private static final String TRAINED = "trained.";
  private static final String BEST = "best.";
  private static final String OPTIMIZER = "optimizer.";
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Checkpoint() {}

  /// Writes a checkpoint and then deletes those before it.
  ///
  /// @return the file
  static Path write(
      Path directory,
      RunState state,
      Map<String, Tensor> trained,
      Map<String, Tensor> best,
      Optimizer optimizer)
      throws IOException {
    Files.createDirectories(directory);
    Map<String, Tensor> all = new LinkedHashMap<>();
    trained.forEach((name, tensor) -> all.put(TRAINED + name, tensor));
    best.forEach((name, tensor) -> all.put(BEST + name, tensor));
    optimizer.state().forEach((name, tensor) -> all.put(OPTIMIZER + name, tensor));
    Path file = directory.resolve(PREFIX + "%08d".formatted(state.step()) + SUFFIX);
    Map<String, String> metadata =
        Map.of("format", "pt", "gatun.run", JSON.writeValueAsString(state));
    try (Scope host = Scope.open()) {
      SafetensorsWriter.write(file, TensorEntries.of(host, all), metadata);
    }
    try (Stream<Path> others = Files.list(directory)) {
      for (Path other : (Iterable<Path>) others::iterator) {
        if ((isCheckpoint(other) && !other.equals(file)) || isUnfinished(other)) {
          Files.delete(other);
        }
      }
    }
    return file;
  }

  private static boolean isCheckpoint(Path file) {
    String name = Objects.requireNonNull(file.getFileName()).toString();
    return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
  }

  /// Returns whether a file is what a kill left of a checkpoint that was being written.
  private static boolean isUnfinished(Path file) {
    String name = Objects.requireNonNull(file.getFileName()).toString();
    return name.startsWith("." + PREFIX) && name.endsWith(".tmp");
  }

  /// Returns the newest checkpoint of a directory, if there is one.
  static Optional<Path> newest(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(Checkpoint::isCheckpoint).max(Path::compareTo);
    }
  }

  /// Reads a checkpoint into the trained tensors and the optimizer.
  ///
  /// @param best receives copies of the best weights, if the checkpoint has them; owned by `owner`
  /// @throws MalformedFileException if the file does not fit what is trained
  static RunState read(
      Path file,
      Map<String, Tensor> trained,
      Map<String, Tensor> best,
      Scope owner,
      Optimizer optimizer)
      throws IOException {
    try (Arena arena = Arena.ofConfined();
        Scope scope = Scope.open()) {
      SafetensorsFile stored = SafetensorsFile.open(file, arena);
      String json = stored.metadata().get("gatun.run");
      if (json == null) {
        throw new MalformedFileException(file, "metadata", "no gatun.run", "a Gatun checkpoint");
      }
      RunState state;
      try {
        state = JSON.readValue(json, RunState.class);
      } catch (tools.jackson.core.JacksonException e) {
        throw new MalformedFileException(
            file, "metadata gatun.run", String.valueOf(e.getOriginalMessage()), "a run's state");
      }
      for (Map.Entry<String, Tensor> each : trained.entrySet()) {
        Layout.copyInPlace(
            each.getValue(), stored(file, stored, scope, TRAINED + each.getKey(), each.getValue()));
        if (stored.tensors().containsKey(BEST + each.getKey())) {
          best.put(
              each.getKey(),
              Layout.copy(
                  owner, stored(file, stored, scope, BEST + each.getKey(), each.getValue())));
        }
      }
      Map<String, Tensor> moments = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> each : optimizer.state().entrySet()) {
        moments.put(
            each.getKey(), stored(file, stored, scope, OPTIMIZER + each.getKey(), each.getValue()));
      }
      optimizer.restore(moments, state.step());
      return state;
    }
  }

  private static Tensor stored(
      Path file, SafetensorsFile from, Scope scope, String name, Tensor like)
      throws MalformedFileException {
    @Nullable TensorEntry entry = from.tensors().get(name);
    if (entry == null || entry.dtype() != like.dtype() || !like.hasShape(entry.sizes())) {
      throw new MalformedFileException(
          file,
          "tensor '" + name + "'",
          entry == null ? "nothing" : entry.dtype() + " " + entry.shape(),
          like + ", as this run trains");
    }
    return scope.borrow(entry.data(), entry.dtype(), entry.sizes());
  }
}
