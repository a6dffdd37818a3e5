package dev.gatun.models.lora;

import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.Linear;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;

/// One linear layer with its part of an adapter.
@FunctionalInterface
interface AdaptedLayer {
  /// Returns the branch, for the tensors as they are now.
  ///
  /// @param scope owner of what is computed for it; records it where it does
  AdapterLayer branch(Scope scope);

  /// LoRA: the tensors themselves.
  static AdaptedLayer lora(Tensor a, Tensor b, double scale) {
    AdapterLayer fixed = new AdapterLayer(a, b, scale, null);
    return scope -> fixed;
  }

  /// DoRA: beside them the lengths of rows, and the norms that they are divided by.
  static AdaptedLayer dora(
      Scope owner, Linear linear, Tensor a, Tensor b, Tensor magnitude, double scale) {
    RowNorms norms = new RowNorms(owner, linear, a, b, scale);
    AdapterLayer fixed =
        new AdapterLayer(a, b, scale, new AdapterLayer.Magnitude(magnitude, norms));
    return scope -> fixed;
  }

  /// AdaLoRA: P and λ ⊙ Q, so that the branch has the gradient of a LoRA's.
  static AdaptedLayer svd(Tensor q, Tensor lambda, Tensor p, double scale) {
    return scope -> new AdapterLayer(Elementwise.mul(scope, q, lambda), p, scale, null);
  }
}
