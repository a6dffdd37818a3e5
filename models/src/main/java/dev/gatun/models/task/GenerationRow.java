package dev.gatun.models.task;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A text to continue, with all texts that would be right.
///
/// @param prompt what is given
/// @param references what people wrote for it, at least one; training takes them one by one
/// @param category kind of the prompt, where the task has kinds, else null
public record GenerationRow(String prompt, List<String> references, @Nullable String category) {
  /// Copies the list.
  public GenerationRow {
    references = List.copyOf(references);
  }
}
