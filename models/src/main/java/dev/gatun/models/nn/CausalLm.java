package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;

/// A decoder-only language model: a [Transformer] whose tokens see what is before them, and a head
/// over the vocabulary.
public interface CausalLm extends Transformer {
  @Override
  default boolean isCausal() {
    return true;
  }

  /// {@return the number of key heads}
  int keyHeads();

  /// {@return the size of a head}
  int headDim();

  /// {@return the head's weight, `(V, C)`; the embedding where they are tied}
  Param head();

  /// {@return whether head and embedding are one}
  boolean isTied();

  /// Returns the logits of some activations.
  ///
  /// @param scope owner of the result
  /// @param hidden `(M, C)` from [#hidden]
  /// @param pass the pass
  /// @return `(M, V)`
  default Tensor logits(Scope scope, Tensor hidden, ForwardPass pass) {
    Tensor w = Layout.as(scope, pass.value(head()), hidden.dtype());
    return pass.product(scope, hidden, head(), w, false, null);
  }
}
