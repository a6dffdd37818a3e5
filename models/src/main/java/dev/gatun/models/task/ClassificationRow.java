package dev.gatun.models.task;

import org.jspecify.annotations.Nullable;

/// One or two texts with their label.
///
/// @param first the text, or the first of the pair
/// @param second the other text of a pair, else null
/// @param label index of the class, or the value of a regression
public record ClassificationRow(String first, @Nullable String second, double label) {
  /// {@return the index of the class}
  public int classIndex() {
    return (int) label;
  }
}
