package dev.gatun.models.train;

import dev.gatun.models.nn.ForwardPass;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// What a run trains: an adapter, or all weights.
public interface Trained {
  /// Returns the trained tensors by their names, always in the same order.
  Map<String, Tensor> parameters();

  /// Sends all rows of a pass through what is trained.
  ///
  /// @param pass the description of the pass
  /// @param tokens its number of tokens
  ForwardPass.Builder join(ForwardPass.Builder pass, int tokens);

  /// Writes what was trained in the format that others read.
  ///
  /// @param directory made if missing
  /// @throws IOException if it cannot be written
  void save(Path directory) throws IOException;
}
