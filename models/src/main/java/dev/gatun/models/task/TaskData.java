package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import java.nio.file.Path;
import java.util.List;

/// The rows of a task's file, in its order.
///
/// @param <T> a row
/// @param rows at least one
/// @param skipped broken rows that were passed over, where the task's own readers do so
public record TaskData<T>(List<T> rows, int skipped) {
  /// Copies the list.
  public TaskData {
    rows = List.copyOf(rows);
  }

  /// Returns the rows of a file, and refuses none.
  static <T> TaskData<T> of(Path file, List<T> rows, int skipped) throws MalformedFileException {
    if (rows.isEmpty()) {
      throw new MalformedFileException(file, "file", "no row", "at least one");
    }
    return new TaskData<>(rows, skipped);
  }
}
