package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// MMLU (Hendrycks et al. 2021, arXiv:2009.03300): questions of 57 subjects with four answers each.
///
/// A file is the CSV of one subject: question, A, B, C, D, and the letter of the right one, usually
/// without a header line; or rows of the Hugging Face data set `cais/mmlu`, as `.parquet` or
/// `.jsonl`: `question`, `subject`, `choices`, and the right one's index as `answer`. The prompts
/// are those of the original `hendrycks/test`, with its two blanks before the subject. What a model
/// chooses is the likeliest of [#LETTERS] behind the prompt.
public final class Mmlu {
  /// What it is measured by.
  public static final List<String> METRICS = List.of("accuracy");

  /// The answers to score, with the blank that is part of them.
  public static final List<String> LETTERS = List.of(" A", " B", " C", " D");

  private static final List<String> COLUMNS = List.of("question", "A", "B", "C", "D", "answer");

  private static final List<String> HUB = List.of("question", "subject", "choices", "answer");

  private Mmlu() {}

  /// Reads a file.
  ///
  /// @param file for example `test/abstract_algebra_test.csv`
  /// @return its questions
  /// @throws MalformedFileException if a row of a CSV file has not six fields, there are not four
  ///   answers, or the right one is none of them
  /// @throws IOException if the file is missing or cannot be read
  public static TaskData<ChoiceRow> read(Path file) throws IOException {
    List<ChoiceRow> rows = new ArrayList<>();
    new Table(COLUMNS, List.of("question", "answer"), false)
        .read(
            file,
            row -> {
              boolean official = row.columns(List.of(COLUMNS, HUB)).equals(COLUMNS);
              rows.add(official ? official(row, subject(file)) : ofHub(row));
            });
    return TaskData.of(file, rows, 0);
  }

  private static ChoiceRow official(TableRow row, String subject) throws MalformedFileException {
    List<String> choices = new ArrayList<>();
    for (String letter : COLUMNS.subList(1, 5)) {
      choices.add(row.text(letter));
    }
    int answer = LETTERS.indexOf(" " + row.text("answer"));
    if (answer < 0) {
      throw row.wrong("answer", row.found("answer"), "A, B, C or D");
    }
    return new ChoiceRow(subject, row.text("question"), choices, answer);
  }

  private static ChoiceRow ofHub(TableRow row) throws MalformedFileException {
    List<String> choices = new ArrayList<>();
    for (JsonTree choice : row.tree("choices").items()) {
      choices.add(choice.text());
    }
    if (choices.size() != LETTERS.size()) {
      throw row.wrong("choices", choices.size() + " answers", "four");
    }
    int answer = row.tree("answer").index();
    if (answer >= choices.size()) {
      throw row.wrong("answer", row.found("answer"), "0 to 3");
    }
    return new ChoiceRow(row.text("subject"), row.text("question"), choices, answer);
  }

  /// {@return the subject that a file is named after, such as `abstract_algebra`}
  ///
  /// @param file its name ends with `_dev.csv`, `_val.csv` or `_test.csv`
  public static String subject(Path file) {
    return String.valueOf(file.getFileName()).replaceFirst("(_(dev|val|test))?[.]csv$", "");
  }

  /// {@return a prompt that ends where the letter is to come}
  ///
  /// @param subject for example `abstract_algebra`
  /// @param shots answered questions to begin with: the first five of the subject's `dev` file, or
  ///   none
  /// @param row the question
  public static String prompt(String subject, List<ChoiceRow> shots, ChoiceRow row) {
    StringBuilder prompt =
        new StringBuilder("The following are multiple choice questions (with answers) about  ");
    prompt.append(subject.replace('_', ' ')).append(".\n\n");
    for (ChoiceRow shot : shots) {
      prompt.append(question(shot)).append(LETTERS.get(shot.answer())).append("\n\n");
    }
    return prompt.append(question(row)).toString();
  }

  private static String question(ChoiceRow row) {
    StringBuilder text = new StringBuilder(row.question());
    for (int i = 0; i < row.choices().size(); i++) {
      text.append('\n').append(LETTERS.get(i).strip()).append(". ").append(row.choices().get(i));
    }
    return text.append("\nAnswer:").toString();
  }
}
