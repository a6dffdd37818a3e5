package dev.gatun.models.nn;

import dev.gatun.runtime.Tensor;

/// A named weight of a model.
///
/// @param index its number in [Transformer#params], by which a [ForwardPass] replaces it
/// @param name its name in transformers' module tree, for instance `model.norm.weight`
/// @param value the tensor of the checkpoint
public record Param(int index, String name, Tensor value) {}
