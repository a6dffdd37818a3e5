package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A model of equal layers over tokens, cut at its layers: an embedding, the layers, and a last
/// norm where there is one. What reads its activations is a head: over the vocabulary in
/// [CausalLm], of a task in [TaskModel].
///
/// Weights live as long as the model; they may be used from several threads at once, each with its
/// own scopes and passes.
public interface Transformer extends AutoCloseable {
  /// {@return the `model_type` of its config.json}
  String modelType();

  /// {@return whether a token sees only itself and those before it}
  boolean isCausal();

  /// {@return whether sequences of one pass may go through different adapters}
  default boolean mixesAdapters() {
    return true;
  }

  /// {@return C, the size of an activation}
  int width();

  /// {@return the number of layers}
  int layers();

  /// {@return the number of query heads}
  int heads();

  /// {@return the number of ids}
  int vocabulary();

  /// {@return the longest sequence}
  int maxPositions();

  /// {@return the type of activations and of frozen linear weights}
  DType computeType();

  /// {@return where the weights lie, and with them every activation}
  default Device device() {
    return params().getFirst().value().device();
  }

  /// {@return the rotary positions, or null where the model has others}
  @Nullable Rotary rotary();

  /// {@return the weights, each once, in the checkpoint's names}
  List<Param> params();

  /// {@return the linear layers that adapters may target, without a head over the vocabulary}
  List<Linear> linears();

  /// {@return the first activations, `(N, C)`}
  ///
  /// @param scope owner of the result
  /// @param pass the pass
  Tensor embed(Scope scope, ForwardPass pass);

  /// Runs one layer.
  ///
  /// @param scope owner of the result; records where it does
  /// @param index the layer
  /// @param x `(N, C)`
  /// @param pass the pass
  /// @return `(N, C)`
  Tensor layer(Scope scope, int index, Tensor x, ForwardPass pass);

  /// Normalises the last layer's output, `(N, C)`.
  ///
  /// @param scope owner of the result
  /// @param x `(N, C)`
  /// @param pass the pass
  /// @return `(N, C)`; `x` itself where the model has no last norm
  Tensor lastNorm(Scope scope, Tensor x, ForwardPass pass);

  /// Frees the weights.
  @Override
  void close();

  /// Runs a range of layers, each in a child scope.
  ///
  /// @param scope owner of the result
  /// @param x `(N, C)`
  /// @param pass the pass
  /// @param from first layer
  /// @param to layer after the last
  /// @param checkpoint whether to save only each layer's input and run it again for its gradient
  /// @return the last layer's output, `(N, C)`
  default Tensor layers(
      Scope scope, Tensor x, ForwardPass pass, int from, int to, boolean checkpoint) {
    Tensor at = x;
    for (int i = from; i < to; i++) {
      int index = i;
      Tensor next;
      if (checkpoint) {
        next = Tape.checkpoint(scope, at, (s, input) -> block(s, index, input, pass));
      } else {
        next = block(scope, index, at, pass);
      }
      if (at != x) {
        scope.free(at);
      }
      at = next;
    }
    return at;
  }

  private Tensor block(Scope scope, int index, Tensor x, ForwardPass pass) {
    try (Scope block = scope.child()) {
      return scope.keep(layer(block, index, x, pass));
    }
  }

  /// {@return the normalised activations that a head reads, `(N, C)`}
  ///
  /// @param scope owner of the result
  /// @param pass the pass
  /// @param checkpoint whether to save only each layer's input and run it again for its gradient
  default Tensor hidden(Scope scope, ForwardPass pass, boolean checkpoint) {
    try (Scope block = scope.child()) {
      Tensor x = layers(block, embed(block, pass), pass, 0, layers(), checkpoint);
      CachedTokens cache = pass.cache();
      if (cache != null) {
        cache.advance();
      }
      return scope.keep(lastNorm(block, x, pass));
    }
  }
}
