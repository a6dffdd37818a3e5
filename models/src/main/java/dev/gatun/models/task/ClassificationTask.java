package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A task of one or two texts and a label: what its files hold, and how it is measured.
///
/// Files are read by the ends of their names: `.tsv` and `.txt` (tabs, quotes are characters),
/// `.csv`, `.jsonl`, `.ndjson`, `.json`. A label is the index of a class or its name; that of a
/// regression is a finite number.
///
/// @param name name of the task, lower case
/// @param official columns of the task's own files
/// @param hub columns of the Hugging Face data set
/// @param unnamed columns of official files without a header line; empty where each has one
/// @param labels names of the classes, in the Hugging Face order; empty for a regression
/// @param metrics what it is measured by, in the names of Hugging Face's `evaluate`
/// @param evaluation names of the official files that results are reported on
/// @param skipsBroken whether rows with another number of fields are passed over and counted, as
///   the task's own readers do; otherwise they are faults
public record ClassificationTask(
    String name,
    Columns official,
    Columns hub,
    List<String> unnamed,
    List<String> labels,
    List<String> metrics,
    List<String> evaluation,
    boolean skipsBroken) {
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?");

  /// Copies the lists.
  public ClassificationTask {
    unnamed = List.copyOf(unnamed);
    labels = List.copyOf(labels);
    metrics = List.copyOf(metrics);
    evaluation = List.copyOf(evaluation);
  }

  /// {@return a task of any file with the columns `text` and `label`, and `text_pair` where there
  /// are two texts}
  ///
  /// @param classes names of the classes in their order; empty for a regression
  public static ClassificationTask ofText(List<String> classes) {
    return new ClassificationTask(
        classes.isEmpty() ? "regression" : "classification",
        new Columns("text", "text_pair", "label"),
        new Columns("text", null, "label"),
        List.of(),
        classes,
        classes.isEmpty() ? List.of("pearson", "spearmanr") : List.of("accuracy", "f1"),
        List.of(),
        false);
  }

  /// {@return the different labels of such a file, numbers by their size before words by the
  /// alphabet}
  ///
  /// @param file a file of one of the kinds above
  /// @throws MalformedFileException if a column is missing, or there is only one label or none
  /// @throws IOException if the file is missing or cannot be read
  public static List<String> labelsOf(Path file) throws IOException {
    List<List<String>> sets = List.of(List.of("text", "label"));
    Set<String> all = new TreeSet<>();
    Table.NAMED.read(
        file,
        row -> {
          row.columns(sets);
          String label = row.scalar("label");
          if (label == null || label.isBlank()) {
            throw row.wrong("label", row.found("label"), "a class");
          }
          all.add(label);
        });
    if (all.size() < 2) {
      throw new MalformedFileException(
          file, "label", all.isEmpty() ? "no row" : "the one class " + all, "two classes or more");
    }
    return all.stream()
        .sorted(Comparator.comparingDouble(ClassificationTask::size).thenComparing(l -> l))
        .toList();
  }

  /// Returns the number that a label is; infinity for a word.
  private static double size(String label) {
    return NUMBER.matcher(label).matches() ? Double.parseDouble(label) : Double.POSITIVE_INFINITY;
  }

  /// Names of columns.
  ///
  /// @param first the text, or the first of the pair
  /// @param second the other text of a pair, else null
  /// @param label the label
  public record Columns(String first, @Nullable String second, String label) {
    List<String> all() {
      return second == null ? List.of(first, label) : List.of(first, second, label);
    }
  }

  /// {@return whether labels are numbers, not classes}
  public boolean isRegression() {
    return labels.isEmpty();
  }

  /// {@return whether there are two texts}
  public boolean isPair() {
    return official.second != null;
  }

  /// Reads a file with labels.
  ///
  /// @param file a file of one of the kinds above, with the official or the Hugging Face columns
  /// @return its rows
  /// @throws MalformedFileException if a column is missing, a label unknown or not a finite number,
  ///   a row broken, or there is none: its message names file, line, what is there and what should
  ///   be
  /// @throws IOException if the file is missing or cannot be read
  public TaskData<ClassificationRow> read(Path file) throws IOException {
    List<ClassificationRow> rows = new ArrayList<>();
    Table table = new Table(unnamed, unnamed.isEmpty() ? List.of() : hub.all(), skipsBroken);
    List<List<String>> sets = List.of(official.all(), hub.all());
    int skipped =
        table.read(
            file,
            row -> {
              Columns columns = row.columns(sets).equals(official.all()) ? official : hub;
              rows.add(
                  new ClassificationRow(
                      row.text(columns.first),
                      columns.second == null ? null : row.text(columns.second),
                      isRegression() ? target(row, columns.label) : index(row, columns.label)));
            });
    return TaskData.of(file, rows, skipped);
  }

  private int index(TableRow row, String column) throws MalformedFileException {
    String label = row.scalar(column);
    for (int i = 0; i < labels.size(); i++) {
      if (labels.get(i).equals(label) || String.valueOf(i).equals(label)) {
        return i;
      }
    }
    throw row.wrong(
        column,
        row.found(column),
        "0 to " + (labels.size() - 1) + ", or " + String.join(", ", labels));
  }

  private static double target(TableRow row, String column) throws MalformedFileException {
    String text = row.scalar(column);
    double value =
        text != null && NUMBER.matcher(text).matches() ? Double.parseDouble(text) : Double.NaN;
    if (!Double.isFinite(value)) {
      throw row.wrong(column, row.found(column), "a finite number");
    }
    return value;
  }
}
