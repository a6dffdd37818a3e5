package dev.gatun.runtime;

import org.jspecify.annotations.Nullable;

/// The derivative of one recorded operation.
@FunctionalInterface
public interface Gradient {
  /// Returns the gradients with respect to the operation's inputs, in their order.
  ///
  /// @param scope owner of the results; temporaries may live in it too
  /// @param saved what the operation asked the tape to keep, in its order
  /// @param results gradients with respect to the operation's results; null where nothing flowed
  ///   back
  /// @return one gradient for each input, of the input's shape; null where there is none
  @Nullable Tensor[] backward(Scope scope, Tensor[] saved, @Nullable Tensor[] results);
}
