package dev.gatun.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.models.task.Alpaca;
import dev.gatun.models.task.ChoiceRow;
import dev.gatun.models.task.ClassificationRow;
import dev.gatun.models.task.E2eNlg;
import dev.gatun.models.task.GenerationRow;
import dev.gatun.models.task.Glue;
import dev.gatun.models.task.Mmlu;
import dev.gatun.models.task.QuestionRow;
import dev.gatun.models.task.Squad;
import dev.gatun.models.task.TaskData;
import dev.gatun.models.task.WebNlg;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The files of Hugging Face's data sets, column by column as they are there.
class ParquetTaskTest {
  private interface Reader {
    TaskData<?> read(Path file) throws IOException;
  }

  private static final Map<String, Reader> READERS =
      Map.of(
          "sst2", Glue.SST2::read,
          "stsb", Glue.STSB::read,
          "squad", Squad::read,
          "mmlu", Mmlu::read,
          "webnlg", WebNlg::read);

  @TempDir Path folder;

  @Test
  void glue() throws IOException, SQLException {
    assertThat(
            Glue.MRPC
                .read(write("SELECT 'a' AS sentence1, 'b' AS sentence2, 1 AS label, 0 AS idx"))
                .rows())
        .containsExactly(new ClassificationRow("a", "b", 1));
    assertThat(
            Glue.STSB
                .read(write("SELECT 'a' AS sentence1, 'b' AS sentence2, 3.8::FLOAT AS label"))
                .rows())
        .containsExactly(new ClassificationRow("a", "b", 3.8));
    assertThat(Glue.COLA.read(write("SELECT 'a' AS sentence, 0 AS label, 7 AS idx")).rows())
        .containsExactly(new ClassificationRow("a", null, 0));
    assertThat(
            Glue.MNLI
                .read(write("SELECT 'a' AS premise, 'b' AS hypothesis, 2 AS label, 0 AS idx"))
                .rows())
        .containsExactly(new ClassificationRow("a", "b", 2));
  }

  @Test
  void squadAsPythonWroteIt() throws IOException, URISyntaxException {
    Path file =
        Path.of(Objects.requireNonNull(getClass().getResource("squad-pyarrow.parquet")).toURI());
    List<QuestionRow> rows = Squad.read(file).rows();
    assertThat(rows).extracting(QuestionRow::id).containsExactly("a", "b", "c");
    assertThat(rows.getFirst().answers()) // behind a character of two chars
        .containsExactly(
            new QuestionRow.Answer("SS Ancon", 15), new QuestionRow.Answer("Ancon", 18));
    assertThat(rows.getLast().answers()).isEmpty();
  }

  @Test
  void mmlu() throws IOException, SQLException {
    Path file =
        write(
            """
            SELECT 'q' AS question, 'anatomy' AS subject, ['w', 'x', 'y', 'z'] AS choices, 2 AS answer\
            """);
    assertThat(Mmlu.read(file).rows())
        .containsExactly(new ChoiceRow("anatomy", "q", List.of("w", "x", "y", "z"), 2));
  }

  @Test
  void generation() throws IOException, SQLException {
    Path e2e =
        write(
            "SELECT 'name[The Eagle]' AS meaning_representation, 'It is.' AS human_reference"
                + " UNION ALL SELECT 'name[The Eagle]', 'Yes.'");
    assertThat(E2eNlg.read(e2e).rows())
        .containsExactly(new GenerationRow("name : The Eagle", List.of("It is.", "Yes."), null));
    Path alpaca = write("SELECT 'Greet.' AS instruction, '' AS input, 'Hello' AS output");
    assertThat(Alpaca.read(alpaca).rows().getFirst().references()).containsExactly("Hello");
    Path webNlg =
        write(
            """
            SELECT 'Airport' AS category,
                   {'mtriple_set': [['A | city | B', 'A | code | "C"'], ['other']]}
                     AS modified_triple_sets,
                   {'comment': ['good', 'bad', 'good'], 'text': ['x', 'y', 'z']} AS lex\
            """);
    assertThat(WebNlg.read(webNlg).rows())
        .containsExactly(
            new GenerationRow("A : city : B | A : code : \"C\"", List.of("x", "z"), "Airport"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          sst2   | SELECT 'a' AS text, 1 AS label                       | columns         | the columns text, label | sentence, label
          sst2   | SELECT 'a' AS sentence, 1 AS label UNION ALL SELECT NULL, 0 | row 2, sentence | null      | a text
          sst2   | SELECT 'a' AS sentence, NULL::INT AS label           | row 1, label    | null               | 0 to 1
          sst2   | SELECT 'a' AS sentence, -1 AS label                  | row 1, label    | the number -1      | 0 to 1
          stsb   | SELECT 'a' AS sentence1, 'b' AS sentence2, 'nan'::FLOAT AS label | row 1, label | the number NaN | a finite number
          squad  | SELECT 'a' AS id, 'c' AS context, 'q' AS question, 'x' AS answers | row 1, answers | a string | an object
          squad  | SELECT 'a' AS id, 'c' AS context, 'q' AS question, NULL AS answers | row 1, answers | null    | an object
          squad  | SELECT 'a' AS id, 'c' AS context, 'q' AS question, {'text': ['x'], 'answer_start': [0]} AS answers | row 1, answers.text[0] | "x" at 0 | what the context has
          mmlu   | SELECT 'q' AS question, 's' AS subject, ['a', 'b', 'c', 'd'] AS choices, 4 AS answer | row 1, answer | the number 4 | 0 to 3
          webnlg | SELECT 'A' AS category, {'mtriple_set': [['a b']]} AS modified_triple_sets, {'comment': ['good'], 'text': ['x']} AS lex | row 1, modified_triple_sets.mtriple_set[0][0] | "a b" | subject
          """)
  void faultsAreNamedByRowAndColumn(
      String task, String query, String place, String found, String expected) {
    MalformedFileException e =
        catchThrowableOfType(
            MalformedFileException.class,
            () -> Objects.requireNonNull(READERS.get(task)).read(write(query)));
    assertThat(e).isNotNull();
    assertThat(e.place()).isEqualTo(place);
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).contains(expected);
  }

  private Path write(String query) throws SQLException {
    return Parquet.write(folder.resolve("a.parquet"), query);
  }
}
