package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import org.jspecify.annotations.Nullable;

/// The low-rank branch of one linear layer: y = W x + scale B A x + bias, or, with a magnitude, y =
/// c ⊙ (W x + scale B A x) + bias.
///
/// @param a `(R, I)`, f32
/// @param b `(O, R)`, f32
/// @param scale alpha / r, or alpha / sqrt(r)
/// @param magnitude DoRA's lengths of the rows, or null
public record AdapterLayer(Tensor a, Tensor b, double scale, @Nullable Magnitude magnitude) {
  /// DoRA's length of each row of the changed weight: c = value / norm.
  ///
  /// Source: Liu et al., arXiv:2402.09353, equation 5; the norm is a constant in the gradient
  /// (section 4.3 there), and one of each output (as in PEFT), whatever way the weight is stored.
  ///
  /// @param value `(O)`, f32, trained
  /// @param norms norms of the rows of W + scale B A
  public record Magnitude(Tensor value, Norms norms) {}

  /// The norms of the rows of W + scale B A.
  @FunctionalInterface
  public interface Norms {
    /// {@return the norms, `(O)`, f32}
    ///
    /// @param scope owner of the result, where it is computed
    /// @param a the branch's A, or another in its place
    /// @param b its B, or another
    Tensor of(Scope scope, Tensor a, Tensor b);
  }

  /// {@return this branch with other matrices; a magnitude divides by the norms that go with them}
  ///
  /// @param otherA in place of A
  /// @param otherB in place of B
  public AdapterLayer with(Tensor otherA, Tensor otherB) {
    return new AdapterLayer(otherA, otherB, scale, magnitude);
  }

  /// Returns this branch times a factor.
  AdapterLayer scaled(double factor) {
    if (magnitude != null) {
      throw new IllegalArgumentException(
          "scaling: found DoRA, expected an adapter without magnitude");
    }
    return new AdapterLayer(a, b, scale * factor, null);
  }
}
