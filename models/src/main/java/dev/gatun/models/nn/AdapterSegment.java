package dev.gatun.models.nn;

import org.jspecify.annotations.Nullable;

/// Rows of a batch that go through one adapter.
///
/// @param start first token
/// @param end token after the last
/// @param layers the adapter's branch of each linear layer, by [Linear#index()]; null where it has
///   none
public record AdapterSegment(int start, int end, @Nullable AdapterLayer[] layers) {
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
