package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import org.jspecify.annotations.Nullable;

/// An encoder: a [Transformer] whose tokens see all tokens of their sequence. Its layers end in a
/// norm, so that there is no last one.
public interface Encoder extends Transformer {
  @Override
  default boolean isCausal() {
    return false;
  }

  @Override
  default @Nullable Rotary rotary() {
    return null;
  }

  @Override
  default Tensor lastNorm(Scope scope, Tensor x, ForwardPass pass) {
    return x;
  }
}
