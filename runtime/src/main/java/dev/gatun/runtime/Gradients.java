package dev.gatun.runtime;

import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/// The value of a function and its gradients, owned by the scope that [Tape#gradients] was given.
public final class Gradients {
  private final Tensor value;
  private final IdentityHashMap<Tensor, Tensor> byParameter;

  Gradients(Tensor value, IdentityHashMap<Tensor, Tensor> byParameter) {
    this.value = value;
    this.byParameter = byParameter;
  }

  /// {@return the function's value}
  public Tensor value() {
    return value;
  }

  /// {@return the gradient with respect to a parameter, or null where the value does not depend on
  /// it}
  ///
  /// @param parameter one of the tensors that were differentiated with respect to
  public @Nullable Tensor of(Tensor parameter) {
    return byParameter.get(parameter);
  }
}
