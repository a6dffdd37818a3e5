package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import org.jspecify.annotations.Nullable;

/// A weight as it is.
final class StoredWeight extends FrozenWeight {
  StoredWeight(Tensor weight) {
    super(weight);
  }

  @Override
  Tensor product(Scope block, Tensor x, @Nullable Tensor bias) {
    return Matmul.linear(block, x, weight(), bias);
  }
}
