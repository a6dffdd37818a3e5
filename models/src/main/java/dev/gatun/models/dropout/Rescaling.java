package dev.gatun.models.dropout;

/// What is done to the elements that stay, so that training and inference fit together.
public enum Rescaling {
  /// Nothing: DropKey, whose softmax sums to 1 by itself; LoRA Dropout.
  NONE,
  /// Times 1 / (1 - p).
  INVERTED,
  /// Divided by the sum of the weights that stay. For attention weights alone.
  NORMALISED,
  /// As [#NORMALISED], the sum taken as constant by the gradient: DropAttention as arXiv:2403.00812
  /// has it (equations 1 and 2, `NoGrad`).
  NORMALISED_CONSTANT
}
