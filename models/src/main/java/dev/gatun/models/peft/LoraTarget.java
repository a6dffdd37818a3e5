package dev.gatun.models.peft;

/// A linear layer that an adapter changes by `scaling * B * A`, or as its variant says.
///
/// @param module its path in the base model
/// @param rank rows of A `(rank, in)` and columns of B `(out, rank)`; 0 where AdaLoRA kept none
/// @param alpha numerator of the scaling
/// @param scaling factor of the product
public record LoraTarget(String module, int rank, double alpha, double scaling) {}
