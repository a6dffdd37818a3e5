package dev.gatun.models.nn;

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
  /// @param norm `(O)`, f32: norms of the rows of W + scale B A
  public record Magnitude(Tensor value, Tensor norm) {}

  /// {@return this branch with other matrices}
  ///
  /// @param otherA in place of A
  /// @param otherB in place of B
  /// @throws IllegalArgumentException if it has a magnitude, whose norms are those of its own
  ///   matrices
  public AdapterLayer with(Tensor otherA, Tensor otherB) {
    checkPlain("masks of adapters");
    return new AdapterLayer(otherA, otherB, scale, null);
  }

  /// Returns this branch times a factor.
  AdapterLayer scaled(double factor) {
    checkPlain("scaling");
    return new AdapterLayer(a, b, scale * factor, null);
  }

  private void checkPlain(String what) {
    if (magnitude != null) {
      throw new IllegalArgumentException(
          what + ": found DoRA, expected an adapter without magnitude");
    }
  }
}
