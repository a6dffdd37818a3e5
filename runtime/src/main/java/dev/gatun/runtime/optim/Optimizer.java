package dev.gatun.runtime.optim;

import dev.gatun.runtime.Tensor;
import java.util.List;
import java.util.Map;

/// Changes parameters in place by their gradients. Holds native state: close it. Not thread-safe.
public interface Optimizer extends AutoCloseable {
  /// Makes one step.
  ///
  /// @param gradients one for each parameter, in their order and shape; not changed
  /// @param learningRate rate of this step
  void step(List<Tensor> gradients, double learningRate);

  /// {@return the native state by name, for a checkpoint; the tensors stay the optimizer's}
  Map<String, Tensor> state();

  /// {@return how many steps were made}
  int steps();

  /// Continues from a checkpoint.
  ///
  /// @param state tensors by the names of [#state], copied from
  /// @param steps how many steps were made
  /// @throws IllegalArgumentException if a tensor is missing or has another shape
  void restore(Map<String, Tensor> state, int steps);

  /// Frees the state.
  @Override
  void close();
}
