package dev.gatun.models.train;

import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// What a run trains: an adapter, or all weights.
public interface Trained extends PassAddition {
  /// {@return the trained tensors by their names, always in the same order}
  Map<String, Tensor> parameters();

  /// Writes what was trained in the format that others read.
  ///
  /// @param directory made if missing
  /// @throws IOException if it cannot be written
  void save(Path directory) throws IOException;
}
