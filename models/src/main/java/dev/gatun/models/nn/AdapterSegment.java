package dev.gatun.models.nn;

import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import org.jspecify.annotations.Nullable;

/// Rows of a batch that go through one adapter.
///
/// @param start first token
/// @param end token after the last
/// @param layers the adapter's branch of each linear layer, by [Linear#index()]; null where it has
///   none
public record AdapterSegment(int start, int end, @Nullable AdapterLayer[] layers) {
  /// {@return branches under masks of their matrices: columns of A and rows of B at 0; the branches
  /// themselves where the method leaves adapters alone}
  ///
  /// @param scope owner of the masked matrices; records where it does
  /// @param source what draws the masks
  /// @param layers an adapter's branch of each linear layer, by [Linear#index()]; null where it has
  ///   none
  public static @Nullable AdapterLayer[] masked(
      Scope scope, DropoutMasks.Source source, @Nullable AdapterLayer[] layers) {
    @Nullable AdapterLayer[] masked = new AdapterLayer[layers.length];
    for (int i = 0; i < layers.length; i++) {
      AdapterLayer layer = layers[i];
      if (layer != null) {
        int columns = (int) layer.a().size(1);
        int rows = (int) layer.b().size(0);
        float[][] factors = source.adapter(i, columns, rows);
        if (factors == null) {
          return layers;
        }
        Tensor a = Layout.as(scope, scope.of(factors[0], 1, columns), layer.a().dtype());
        Tensor b = Layout.as(scope, scope.of(factors[1], rows, 1), layer.b().dtype());
        masked[i] =
            layer.with(Elementwise.mul(scope, layer.a(), a), Elementwise.mul(scope, layer.b(), b));
      }
    }
    return masked;
  }

  /// Returns this segment with the branches times a factor.
  AdapterSegment scaled(double factor) {
    @Nullable AdapterLayer[] scaled = new AdapterLayer[layers.length];
    for (int i = 0; i < layers.length; i++) {
      AdapterLayer layer = layers[i];
      scaled[i] = layer == null ? null : layer.scaled(factor);
    }
    return new AdapterSegment(start, end, scaled);
  }
}
