package dev.gatun.models.lora;

import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Reduce;
import java.util.Objects;

/// Terms of the loss that depend on an adapter alone, each through matrices of its rank's size.
final class Penalties {
  private Penalties() {}

  /// Returns weight ‖M Mᵀ - I‖ of a matrix of R rows, or weight ‖Mᵀ M - I‖ of one of R columns, in
  /// Frobenius' norm or its square; shape `()`.
  ///
  /// Where the norm is 0 its gradient is taken as 0, as PyTorch does.
  ///
  /// @param columns whether the matrix has R columns
  static Tensor orthogonality(
      Scope scope, Tensor matrix, boolean columns, double weight, boolean squared) {
    try (Scope s = scope.untaped()) {
      Tensor turned = Layout.transpose(s, matrix, 0, 1);
      Tensor gram = columns ? Matmul.matmul(s, turned, matrix) : Matmul.matmul(s, matrix, turned);
      Tensor gap = Elementwise.sub(s, gram, identity(s, gram.size(0), gram.dtype())); // (R, R)
      Tensor square = Reduce.sumOfSquares(s, gap);
      Tensor value = squared ? square : Elementwise.sqrt(s, square);
      Tensor result = scope.keep(Elementwise.scale(s, value, weight));
      if (scope.records(matrix)) {
        double norm = Math.sqrt(square.item());
        double slope = squared ? 4 * weight : norm == 0 ? 0 : 2 * weight / norm;
        scope.record(
            result,
            new Tensor[] {matrix},
            new Tensor[] {matrix, gap},
            (t, kept, g) -> {
              Tensor product =
                  columns ? Matmul.matmul(t, kept[0], kept[1]) : Matmul.matmul(t, kept[1], kept[0]);
              double flow = Objects.requireNonNull(g[0]).item();
              return new Tensor[] {Elementwise.scale(t, product, slope * flow)};
            });
      }
      return result;
    }
  }

  private static Tensor identity(Scope scope, long size, DType dtype) {
    double[] values = new double[Math.toIntExact(size * size)];
    for (int i = 0; i < size; i++) {
      values[Math.toIntExact(i * (size + 1))] = 1;
    }
    return Layout.as(scope, scope.of(values, size, size), dtype);
  }

  /// Returns weight ‖scale B A‖², shape `()`: ‖B A‖² is the trace of (Bᵀ B)(A Aᵀ).
  static Tensor squaredChange(Scope scope, AdapterLayer layer, double weight) {
    Tensor a = layer.a();
    Tensor b = layer.b();
    double factor = weight * layer.scale() * layer.scale();
    try (Scope s = scope.untaped()) {
      Tensor inner = Matmul.matmul(s, a, Layout.transpose(s, a, 0, 1)); // A Aᵀ, (R, R)
      Tensor outer = Matmul.matmul(s, Layout.transpose(s, b, 0, 1), b); // Bᵀ B, (R, R)
      Tensor trace = Reduce.sum(s, Elementwise.mul(s, outer, inner));
      Tensor result = scope.keep(Elementwise.scale(s, trace, factor));
      if (scope.records(a, b)) {
        scope.record(
            result,
            new Tensor[] {a, b},
            new Tensor[] {a, b, inner, outer},
            (t, kept, g) -> {
              double flow = 2 * factor * Objects.requireNonNull(g[0]).item();
              return new Tensor[] {
                Elementwise.scale(t, Matmul.matmul(t, kept[3], kept[0]), flow),
                Elementwise.scale(t, Matmul.matmul(t, kept[1], kept[2]), flow)
              };
            });
      }
      return result;
    }
  }
}
