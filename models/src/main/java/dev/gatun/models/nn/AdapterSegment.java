package dev.gatun.models.nn;

import org.jspecify.annotations.Nullable;

/// Rows of a batch that go through one adapter.
///
/// @param start first token
/// @param end token after the last
/// @param layers the adapter's branch of each linear layer, by [Linear#index()]; null where it has
///   none
public record AdapterSegment(int start, int end, @Nullable AdapterLayer[] layers) {}
