package dev.gatun.models.nn;

import dev.gatun.runtime.Tensor;

/// The low-rank branch of one linear layer: y += scale B A x.
///
/// @param a `(R, I)`, f32
/// @param b `(O, R)`, f32
/// @param scale alpha / r, or alpha / sqrt(r)
public record AdapterLayer(Tensor a, Tensor b, double scale) {}
