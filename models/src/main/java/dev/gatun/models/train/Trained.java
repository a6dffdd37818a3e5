package dev.gatun.models.train;

import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.optim.AdamW;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What a run trains: an adapter, or all weights.
public interface Trained extends PassAddition {
  /// {@return the trained tensors by their names, always in the same order}
  Map<String, Tensor> parameters();

  /// Writes what was trained in the format that others read.
  ///
  /// @param directory made if missing
  /// @throws IOException if it cannot be written
  void save(Path directory) throws IOException;

  /// {@return a term of the loss that depends on the trained tensors alone, one element, or null
  /// for none}
  ///
  /// Added once to the loss of each optimizer step, not to that of each batch.
  ///
  /// @param scope owner of the result; a tape to differentiate
  default @Nullable Tensor penalty(Scope scope) {
    return null;
  }

  /// {@return what sets a trained tensor apart from the others in the optimizer}
  ///
  /// @param parameter its name
  default AdamW.Factors factors(String parameter) {
    return AdamW.Factors.PLAIN;
  }

  /// Called after each optimizer step.
  ///
  /// @param step steps made, from 1
  /// @param gradients of a trained tensor, clipped, as the step used them
  default void afterStep(int step, Function<Tensor, Tensor> gradients) {}

  /// {@return tensors besides the trained ones that decide how training goes on, by names that no
  /// trained one has}
  default Map<String, Tensor> state() {
    return Map.of();
  }

  /// {@return what must be equal, beside the run's options, for a run to go on from a checkpoint}
  default Map<String, String> fingerprint() {
    return Map.of();
  }
}
