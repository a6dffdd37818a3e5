package dev.gatun.models.nn;

import dev.gatun.runtime.Tensor;

/// The low-rank branch of one linear layer: y += scale B A x.
///
/// @param a `(R, I)`, f32
/// @param b `(O, R)`, f32
/// @param scale alpha / r, or alpha / sqrt(r)
public record AdapterLayer(Tensor a, Tensor b, double scale) {
  /// {@return this branch with other matrices}
  ///
  /// @param otherA in place of A
  /// @param otherB in place of B
  public AdapterLayer with(Tensor otherA, Tensor otherB) {
    return new AdapterLayer(otherA, otherB, scale);
  }

  /// Returns this branch times a factor.
  AdapterLayer scaled(double factor) {
    return new AdapterLayer(a, b, scale * factor);
  }
}
