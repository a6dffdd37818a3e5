package dev.gatun.models.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// GLUE's files: two rows of each task in the official and in the Hugging Face columns.
class GlueTest {
  private static final List<String> PAIR = List.of("first \"one", "other");

  @TempDir Path folder;

  /// Task, official header and row, Hugging Face's columns, labels of two classes or a value.
  static Stream<Arguments> tasks() {
    return Stream.of(
        Arguments.of(
            Glue.SST2, "sentence\tlabel", "first \"one\t1", List.of("sentence"), "1", "positive"),
        Arguments.of(
            Glue.MRPC,
            "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
            "1\t702876\t702977\tfirst \"one\tother",
            List.of("sentence1", "sentence2"),
            "1",
            "equivalent"),
        Arguments.of(
            Glue.QQP,
            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
            "133273\t213221\t213222\tfirst \"one\tother\t0",
            List.of("question1", "question2"),
            "0",
            "not_duplicate"),
        Arguments.of(
            Glue.STSB,
            "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore",
            "0\tmain-captions\tMSRvid\t2012test\t1\tnone\tnone\tfirst \"one\tother\t3.750",
            List.of("sentence1", "sentence2"),
            "3.75",
            "3.75"),
        Arguments.of(
            Glue.MNLI,
            "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse"
                + "\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label",
            "0\t31193\t31193n\tgovernment\t( a )\t( b )\t(A)\t(B)\tfirst \"one\tother\tneutral"
                + "\tneutral",
            List.of("premise", "hypothesis"),
            "1",
            "neutral"),
        Arguments.of(
            Glue.QNLI,
            "index\tquestion\tsentence\tlabel",
            "0\tfirst \"one\tother\tnot_entailment",
            List.of("question", "sentence"),
            "1",
            "not_entailment"),
        Arguments.of(
            Glue.RTE,
            "index\tsentence1\tsentence2\tlabel",
            "0\tfirst \"one\tother\tentailment",
            List.of("sentence1", "sentence2"),
            "0",
            "entailment"),
        Arguments.of(
            Glue.WNLI,
            "index\tsentence1\tsentence2\tlabel",
            "0\tfirst \"one\tother\t1",
            List.of("sentence1", "sentence2"),
            "1",
            "entailment"));
  }

  @ParameterizedTest
  @MethodSource("tasks")
  void officialFilesAndThoseOfTheHubAreOne(
      ClassificationTask task,
      String header,
      String row,
      List<String> columns,
      String label,
      String name)
      throws IOException {
    Path official = write("train.tsv", header + "\r\n" + row + "\r\n" + row + "\r\n");
    Path csv =
        write(
            "rows.csv",
            String.join(",", columns)
                + ",label,idx\n\"first \"\"one\""
                + (columns.size() == 2 ? ",other" : "")
                + ","
                + label
                + ",0\n");
    StringBuilder json = new StringBuilder("{");
    for (int i = 0; i < columns.size(); i++) {
      String text = PAIR.get(i).replace("\"", "\\\"");
      json.append('"').append(columns.get(i)).append("\": \"").append(text).append("\", ");
    }
    json.append("\"label\": %s, \"idx\": 7}\n");
    Path lines = write("rows.jsonl", json.toString().formatted(label));
    Path named = write("named.jsonl", json.toString().formatted('"' + name + '"'));
    Path list = write("rows.json", "[\n" + json.toString().formatted(label) + "]");

    ClassificationRow expected =
        new ClassificationRow(
            "first \"one", task.isPair() ? "other" : null, Double.parseDouble(label));
    assertThat(task.read(official).rows()).containsExactly(expected, expected);
    for (Path file : List.of(csv, lines, named, list)) {
      TaskData<ClassificationRow> data = task.read(file);
      assertThat(data.rows()).as(file.toString()).containsExactly(expected);
      assertThat(data.skipped()).isZero();
    }
    assertThat(task.isPair()).isEqualTo(columns.size() == 2);
    assertThat(task.isRegression()).isEqualTo(task == Glue.STSB);
    if (!task.isRegression()) {
      assertThat(task.labels().get(expected.classIndex())).isEqualTo(name);
    }
  }

  @Test
  void colaHasNoHeaderLine() throws IOException {
    Path official =
        write(
            "train.tsv",
            """
            gj04\t1\t\tOur friends won't buy this analysis, "let" alone.
            gj04\t0\t*\tThey drank the pub.
            """);
    assertThat(Glue.COLA.read(official).rows())
        .containsExactly(
            new ClassificationRow("Our friends won't buy this analysis, \"let\" alone.", null, 1),
            new ClassificationRow("They drank the pub.", null, 0));
    Path hub = write("hub.tsv", "sentence\tlabel\tidx\nThey drank the pub.\t0\t1\n");
    assertThat(Glue.COLA.read(hub).rows())
        .containsExactly(new ClassificationRow("They drank the pub.", null, 0));
  }

  @Test
  void tornRowsOfQqpArePassedOverAndCounted() throws IOException {
    Path file =
        write(
            "train.tsv",
            """
            id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate
            1\t3\t4\tWhat is it?\t\t0
            2\t5\t6\tHow do I
            go there?\tHow?\t1
            """);
    TaskData<ClassificationRow> data = Glue.QQP.read(file);
    assertThat(data.rows()).containsExactly(new ClassificationRow("What is it?", "", 0));
    assertThat(data.skipped()).isEqualTo(2);
  }

  @Test
  void quotedFieldsMayGoOverLinesAndEndInCommas() throws IOException {
    Path file =
        write(
            "rows.csv",
            """
            label,sentence
            1,"a, ""b""
            c"

            0,
            negative,"x"
            """);
    assertThat(Glue.SST2.read(file).rows())
        .containsExactly(
            new ClassificationRow("a, \"b\"\nc", null, 1),
            new ClassificationRow("", null, 0),
            new ClassificationRow("x", null, 0));
  }

  @Test
  void regressionTargetsAreNumbersHoweverWritten() throws IOException {
    Path file = write("rows.csv", "sentence1,sentence2,label\na,b,5\na,b,.5\na,b,-1e-3\na,b,4.0\n");
    assertThat(Glue.STSB.read(file).rows())
        .extracting(ClassificationRow::label)
        .containsExactly(5.0, 0.5, -0.001, 4.0);
  }

  @Test
  void tasksAreFoundByTheirNames() {
    assertThat(Glue.all()).hasSize(9).doesNotHaveDuplicates();
    assertThat(Glue.of("SST-2")).contains(Glue.SST2);
    assertThat(Glue.of("sts-b")).contains(Glue.STSB);
    assertThat(Glue.of("cola")).contains(Glue.COLA);
    assertThat(Glue.of("copa")).isEmpty();
    assertThat(Glue.MNLI.evaluation()).containsExactly("dev_matched.tsv", "dev_mismatched.tsv");
    assertThat(Glue.MRPC.metrics()).containsExactly("accuracy", "f1");
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> Glue.RTE.read(folder.resolve("none.tsv")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("none.tsv");
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }
}
