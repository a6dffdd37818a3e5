package dev.gatun.models.lora;

import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.Linear;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Reduce;

/// The norms of the rows of W + s B A, which DoRA divides by: those of the trained A and B are
/// worked out again only after one of them changed.
///
/// With w and b the rows of W and B, ‖w + s b A‖² = ‖w‖² + 2 s ⟨w Aᵀ, b⟩ + s² ⟨b A Aᵀ, b⟩: no
/// matrix of the weight's size is formed. May be read from several threads while A and B stay.
final class RowNorms implements AdapterLayer.Norms {
  private final Linear linear;
  private final Tensor a;
  private final Tensor b;
  private final double scale;
  private final Tensor squares; // (O), of W alone
  private final Tensor norms; // (O)
  private int versionOfA = -1;
  private int versionOfB = -1;

  RowNorms(Scope owner, Linear linear, Tensor a, Tensor b, double scale) {
    this.linear = linear;
    this.a = a;
    this.b = b;
    this.scale = scale;
    this.squares = squares(owner, linear, a.dtype());
    this.norms = owner.empty(a.dtype(), linear.outputs());
  }

  /// Returns the norms of the rows of the weight alone, `(O)`.
  static Tensor ofWeight(Scope owner, Linear linear, DType dtype) {
    try (Scope s = Scope.open(linear.weight().value().device())) {
      return owner.keep(Elementwise.sqrt(s, squares(s, linear, dtype)));
    }
  }

  private static Tensor squares(Scope owner, Linear linear, DType dtype) {
    try (Scope s = Scope.open(linear.weight().value().device())) {
      Tensor w = weight(s, linear, dtype);
      return owner.keep(Reduce.sum(s, Elementwise.mul(s, w, w), false, 1));
    }
  }

  private static Tensor weight(Scope s, Linear linear, DType dtype) {
    Tensor w = linear.weight().value();
    return Layout.as(s, linear.transposed() ? Layout.transpose(s, w, 0, 1) : w, dtype); // (O, I)
  }

  /// For masked A and B, W + s B A is the masked change too, so that its rows still have the
  /// trained lengths.
  @Override
  public Tensor of(Scope scope, Tensor otherA, Tensor otherB) {
    if (otherA == a && otherB == b) {
      return current();
    }
    try (Scope s = Scope.open(a.device())) {
      return scope.keep(computed(s, otherA, otherB));
    }
  }

  private synchronized Tensor current() {
    if (versionOfA != a.version() || versionOfB != b.version()) {
      try (Scope s = Scope.open(a.device())) {
        Layout.copyInPlace(norms, computed(s, a, b));
      }
      versionOfA = a.version();
      versionOfB = b.version();
    }
    return norms;
  }

  private Tensor computed(Scope s, Tensor anyA, Tensor anyB) {
    Tensor turned = Layout.transpose(s, anyA, 0, 1);
    Tensor cross = Matmul.matmul(s, weight(s, linear, anyA.dtype()), turned); // (O, R)
    Tensor own = Matmul.matmul(s, anyB, Matmul.matmul(s, anyA, turned)); // (O, R)
    Tensor both =
        Elementwise.add(
            s, Elementwise.scale(s, cross, 2 * scale), Elementwise.scale(s, own, scale * scale));
    Tensor more = Reduce.sum(s, Elementwise.mul(s, both, anyB), false, 1);
    return Elementwise.sqrt(s, Elementwise.add(s, squares, more));
  }
}
