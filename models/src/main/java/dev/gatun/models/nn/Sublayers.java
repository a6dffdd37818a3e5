package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;

/// What stands after the attention and after the feed-forward block of each layer, before the
/// residual is added.
public interface Sublayers {
  /// Nothing.
  Sublayers NONE =
      new Sublayers() {
        @Override
        public Tensor afterAttention(Scope scope, int layer, Tensor output) {
          return output;
        }

        @Override
        public Tensor afterFeedForward(Scope scope, int layer, Tensor output) {
          return output;
        }
      };

  /// {@return what is added to the residual in place of the attention's output}
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param output `(N, C)`, after the output projection
  Tensor afterAttention(Scope scope, int layer, Tensor output);

  /// {@return what is added to the residual in place of the feed-forward block's output}
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param output `(N, C)`, before any dropout
  Tensor afterFeedForward(Scope scope, int layer, Tensor output);
}
