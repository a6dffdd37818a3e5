package dev.gatun.models.data;

import java.util.List;

/// The batches of one optimizer step.
///
/// @param cursor where the step stands
/// @param batches forward passes whose gradients are added up, at least one
public record Step(Cursor cursor, List<Batch> batches) {
  /// Takes a copy of the list.
  public Step {
    batches = List.copyOf(batches);
  }

  /// Returns how often the loss counts in the whole step. Each batch's sum of losses is divided by
  /// it, so that accumulated and large batches give the same gradient.
  ///
  /// @return 0 only if each label of the step is masked
  public long targetCount() {
    return batches.stream().mapToLong(Batch::targetCount).sum();
  }

  /// Returns the number of tokens of the whole step.
  ///
  /// @return tokens
  public long tokens() {
    return batches.stream().mapToLong(Batch::tokens).sum();
  }
}
