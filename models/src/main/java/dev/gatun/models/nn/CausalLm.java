package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Matmul;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A decoder-only language model, cut at its layers: an embedding, equal layers, a last norm and a
/// head.
///
/// Weights live as long as the model; they may be used from several threads at once, each with its
/// own scopes and passes.
public interface CausalLm extends AutoCloseable {
  /// {@return the `model_type` of its config.json}
  String modelType();

  /// {@return the number of layers}
  int layers();

  /// {@return the number of query heads}
  int heads();

  /// {@return the number of key heads}
  int keyHeads();

  /// {@return the size of a head}
  int headDim();

  /// {@return the number of ids}
  int vocabulary();

  /// {@return the longest sequence}
  int maxPositions();

  /// {@return the type of activations and of frozen linear weights}
  DType computeType();

  /// {@return the rotary positions, or null where the model has learnt ones}
  @Nullable Rotary rotary();

  /// {@return the weights, each once, in the checkpoint's names}
  List<Param> params();

  /// {@return the linear layers that adapters may target, without the head}
  List<Linear> linears();

  /// {@return the head's weight, `(V, C)`; the embedding where they are tied}
  Param head();

  /// {@return whether head and embedding are one}
  boolean isTied();

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
  /// @return `(N, C)`
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

  /// {@return the normalised activations that the head reads, `(N, C)`}
  ///
  /// @param scope owner of the result
  /// @param pass the pass
  /// @param checkpoint whether to save only each layer's input and run it again for its gradient
  default Tensor hidden(Scope scope, ForwardPass pass, boolean checkpoint) {
    try (Scope block = scope.child()) {
      Tensor x = layers(block, embed(block, pass), pass, 0, layers(), checkpoint);
      KvCache cache = pass.cache();
      if (cache != null) {
        cache.advance(pass.batch().longest());
      }
      return scope.keep(lastNorm(block, x, pass));
    }
  }

  /// Returns the logits of some activations.
  ///
  /// @param scope owner of the result
  /// @param hidden `(M, C)` from [#hidden]
  /// @param pass the pass
  /// @return `(M, V)`
  default Tensor logits(Scope scope, Tensor hidden, ForwardPass pass) {
    return Matmul.linear(scope, hidden, pass.value(head()), null);
  }
}
