package dev.gatun.models.task;

import dev.gatun.models.task.QuestionRow.Answer;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// SQuAD 1.1 (Rajpurkar et al. 2016, arXiv:1606.05250) and 2.0 (2018, arXiv:1806.03822): the answer
/// to a question is a part of a text, or, in 2.0, there is none.
///
/// | file | holds |
/// |---|---|
/// | `.json` | the official tree `data`, `paragraphs`, `qas` |
/// | `.jsonl`, `.ndjson`, `.parquet` | Hugging Face's rows: `id`, `context`, `question`, `answers` with `text` and `answer_start` |
///
/// Answers count Unicode code points in the files; here they count `char`s.
public final class Squad {
  /// What it is measured by.
  public static final List<String> METRICS = List.of("exact_match", "f1");

  private static final int MAX_BYTES = 1 << 29;
  private static final List<String> HUB = List.of("id", "context", "question", "answers");

  private final List<QuestionRow> rows = new ArrayList<>();
  private final Set<String> ids = new HashSet<>();

  private Squad() {}

  /// Reads a file.
  ///
  /// @param file a file of one of the kinds above
  /// @return its questions; [QuestionRow#answers()] is empty only where the file says that there is
  ///   no answer
  /// @throws MalformedFileException if it is not such a file, an id comes twice, or an answer is
  ///   not where the file says
  /// @throws IOException if the file is missing or cannot be read
  public static TaskData<QuestionRow> read(Path file) throws IOException {
    Squad reader = new Squad();
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".json")) {
      ObjectNode root = StrictJson.read(file, MAX_BYTES);
      reader.readTree(new JsonTree(file, "file", root));
    } else if (name.matches(".*[.](jsonl|ndjson|parquet)")) {
      Table.NAMED.read(file, reader::readRow);
    } else {
      throw new MalformedFileException(
          file, "name", name, "a .json, .jsonl, .ndjson or .parquet file");
    }
    return TaskData.of(file, reader.rows, 0);
  }

  private void readTree(JsonTree root) throws MalformedFileException {
    for (JsonTree article : root.get("data").items()) {
      for (JsonTree paragraph : article.get("paragraphs").items()) {
        String context = paragraph.get("context").text();
        for (JsonTree question : paragraph.get("qas").items()) {
          List<Answer> answers = new ArrayList<>();
          for (JsonTree answer : question.get("answers").items()) {
            answers.add(answer(context, answer.get("text"), answer.get("answer_start")));
          }
          boolean impossible =
              question.has("is_impossible") && question.get("is_impossible").flag();
          if (impossible != answers.isEmpty()) {
            throw new MalformedFileException(
                question.file(),
                question.place() + ".answers",
                answers.size() + " answers" + (impossible ? " of an impossible question" : ""),
                impossible ? "none" : "at least one, or is_impossible");
          }
          add(question.get("id"), context, question.get("question").text(), answers);
        }
      }
    }
  }

  private void readRow(TableRow row) throws MalformedFileException {
    row.columns(List.of(HUB));
    String context = row.text("context");
    JsonTree answers = row.tree("answers");
    List<JsonTree> texts = answers.get("text").items();
    List<JsonTree> starts = answers.get("answer_start").items();
    if (texts.size() != starts.size()) {
      throw row.wrong("answers", texts.size() + " texts, " + starts.size() + " starts", "as many");
    }
    List<Answer> all = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      all.add(answer(context, texts.get(i), starts.get(i)));
    }
    add(row.tree("id"), context, row.text("question"), all);
  }

  private void add(JsonTree id, String context, String question, List<Answer> answers)
      throws MalformedFileException {
    if (!ids.add(id.text())) {
      throw new MalformedFileException(
          id.file(), id.place(), '"' + id.text() + "\" again", "an id of its own");
    }
    rows.add(new QuestionRow(id.text(), context, question, answers));
  }

  private static Answer answer(String context, JsonTree text, JsonTree start)
      throws MalformedFileException {
    int codePoints = start.index();
    String expected = text.text();
    int at =
        codePoints <= context.codePointCount(0, context.length())
            ? context.offsetByCodePoints(0, codePoints)
            : context.length();
    if (expected.isEmpty() || !context.startsWith(expected, at)) {
      throw new MalformedFileException(
          text.file(),
          text.place(),
          '"' + expected + "\" at " + codePoints,
          "what the context has there");
    }
    return new Answer(expected, at);
  }
}
