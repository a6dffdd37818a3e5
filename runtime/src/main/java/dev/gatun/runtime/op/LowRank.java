package dev.gatun.runtime.op;

import dev.gatun.runtime.Tensor;

/// Rows of a batch and the low-rank product that belongs to them: scale (x Aᵀ) Bᵀ.
///
/// @param start first row
/// @param end row after the last
/// @param a `(R, I)`
/// @param b `(O, R)`; where it lies column by column, a few rows at a time are fastest
/// @param scale factor of the product
public record LowRank(int start, int end, Tensor a, Tensor b, double scale) {}
