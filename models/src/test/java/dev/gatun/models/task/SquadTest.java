package dev.gatun.models.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.task.QuestionRow.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SquadTest {
  /// Two `char`s, one code point: the files count it once.
  private static final String CONTEXT = "The \ud83d\ude00 face laughs.";

  @TempDir Path folder;

  @Test
  void versionOneHasAnswersOnly() throws IOException {
    Path file =
        write(
            "dev-v1.1.json",
            """
            {"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "%s", "qas": [
              {"id": "q1", "question": "What laughs?", "answers": [
                {"text": "face", "answer_start": 6}, {"text": "The", "answer_start": 0}]},
              {"id": "q2", "question": "What does it?", "answers": [
                {"text": "laughs.", "answer_start": 11}]}]}]}]}
            """);
    assertThat(Squad.read(file).rows())
        .containsExactly(
            new QuestionRow(
                "q1",
                CONTEXT,
                "What laughs?",
                List.of(new Answer("face", 7), new Answer("The", 0))),
            new QuestionRow("q2", CONTEXT, "What does it?", List.of(new Answer("laughs.", 12))));
    for (QuestionRow row : Squad.read(file).rows()) {
      for (Answer answer : row.answers()) {
        assertThat(CONTEXT.substring(answer.start(), answer.end())).isEqualTo(answer.text());
      }
    }
  }

  @Test
  void versionTwoHasQuestionsWithoutAnswers() throws IOException {
    Path file =
        write(
            "train-v2.0.json",
            """
            {"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "%s", "qas": [
              {"id": "q1", "question": "Who?", "is_impossible": true, "answers": [],
               "plausible_answers": [{"text": "face", "answer_start": 6}]},
              {"id": "q2", "question": "What?", "is_impossible": false, "answers": [
                {"text": "face", "answer_start": 6}]}]}]}]}
            """);
    assertThat(Squad.read(file).rows())
        .containsExactly(
            new QuestionRow("q1", CONTEXT, "Who?", List.of()),
            new QuestionRow("q2", CONTEXT, "What?", List.of(new Answer("face", 7))));
  }

  @Test
  void rowsOfTheHubHoldTheSame() throws IOException {
    Path file =
        write(
            "train.jsonl",
            """
            {"id": "q1", "title": "T", "context": "%1$s", "question": "What?", "answers": {"text": ["face"], "answer_start": [6]}}
            {"id": "q2", "title": "T", "context": "%1$s", "question": "Who?", "answers": {"text": [], "answer_start": []}}
            """);
    assertThat(Squad.read(file).rows())
        .containsExactly(
            new QuestionRow("q1", CONTEXT, "What?", List.of(new Answer("face", 7))),
            new QuestionRow("q2", CONTEXT, "Who?", List.of()));
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text.formatted(CONTEXT));
  }
}
