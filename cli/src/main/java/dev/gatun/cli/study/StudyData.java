package dev.gatun.cli.study;

import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.NamedTasks;
import dev.gatun.models.task.TaskEncoding;
import dev.gatun.models.task.TaskSet;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.templates.ChatTemplate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Reads the rows that a recipe names.
///
/// @param recipe the recipe
/// @param directory where the model is from
/// @param model the model
/// @param tokenizer its tokenizer, or null where it has none
public record StudyData(
    Recipe recipe, ModelDirectory directory, Transformer model, @Nullable SpanTokenizer tokenizer) {
  /// {@return the rows of language modelling}
  ///
  /// @throws IOException if a file cannot be read or is malformed
  public Rows ofTexts() throws IOException {
    return new Rows(
        texts(recipe.train(), recipe.trainRows()),
        texts(recipe.heldOut(), recipe.heldOutRows()),
        null);
  }

  /// {@return the rows of a task}
  ///
  /// There is a tokenizer.
  ///
  /// @param task what is trained
  /// @throws IOException if a file cannot be read or is not the task's
  public Rows of(NamedTask task) throws IOException {
    Recipe.Decoding decoding = recipe.decoding();
    TaskEncoding encoding =
        new TaskEncoding(
            Objects.requireNonNull(tokenizer),
            model.isCausal(),
            recipe.maxLength(),
            model.vocabulary(),
            usual -> decoding == null ? usual : decoding.over(usual),
            directory.stopIds(),
            Integer.MAX_VALUE,
            recipe.shots());
    NamedTask measured = NamedTasks.of(Objects.requireNonNull(recipe.heldOutTask())).orElseThrow();
    TaskSet train = task.read(recipe.train(), encoding);
    TaskSet heldOut = measured.read(recipe.heldOut(), encoding);
    return new Rows(
        first(recipe.train(), train.examples(), recipe.trainRows()),
        first(recipe.heldOut(), heldOut.examples(), recipe.heldOutRows()),
        heldOut);
  }

  private Dataset texts(Path source, int count) throws IOException {
    Dataset all =
        DataReader.read(
            source,
            new DataOptions(
                tokenizer,
                ChatTemplate.formatOf(directory.path()),
                recipe.maxLength(),
                model.vocabulary()));
    check(source, all.size(), count);
    return count == 0 ? all : new Dataset(all.examples().subList(0, count), 0, 0);
  }

  /// Returns what comes from the first rows of a file: a question has several windows, a prompt
  /// several references.
  private static Dataset first(Path source, Dataset all, int count) throws IOException {
    int rows = all.examples().stream().mapToInt(Example::document).max().orElse(-1) + 1;
    check(source, rows, count);
    if (count == 0) {
      return all;
    }
    List<Example> some =
        all.examples().stream().filter(example -> example.document() < count).toList();
    return new Dataset(some, 0, 0);
  }

  private static void check(Path source, int rows, int count) throws MalformedFileException {
    if (count > rows) {
      throw new MalformedFileException(
          source, "rows", Integer.toString(rows), "at least the " + count + " of the recipe");
    }
  }
}
