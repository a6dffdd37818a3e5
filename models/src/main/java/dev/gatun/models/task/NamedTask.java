package dev.gatun.models.task;

import dev.gatun.models.nn.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A task that is trained and measured by its name: what its model is, how its files become
/// examples, and how what a model says of them is measured. [NamedTasks] has them all.
public interface NamedTask {
  /// {@return the name, lower case}
  String name();

  /// {@return what the model's head is for, or null for a language model}
  @Nullable Task head();

  /// {@return the names of the metrics, the task's own first, without the calibration error; a file
  /// may have more}
  List<String> metrics();

  /// Reads a file as examples for a model.
  ///
  /// @param file a file of the task, with labels
  /// @param encoding how texts become tokens of the model
  /// @return the examples
  /// @throws dev.gatun.runtime.MalformedFileException if the file is not one of the task's: its
  ///   message names file, place, what is there and what should be
  /// @throws IOException if the file is missing or cannot be read
  TaskSet read(Path file, TaskEncoding encoding) throws IOException;
}
