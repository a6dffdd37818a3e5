package dev.gatun.models.task;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.TaskCases;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.task.AnswersTest.Words;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Files of tasks as examples, and metrics of outputs.
class NamedTasksTest {
  @TempDir Path directory;

  private Path file(String name, String... lines) throws IOException {
    return Files.write(directory.resolve(name), Arrays.asList(lines));
  }

  private static TaskEncoding encoding(boolean causal, int maxLength) {
    return new TaskEncoding(new Words(), causal, maxLength, 20, o -> o, Set.of(), 5, null);
  }

  private static TaskSet read(String task, Path file, boolean causal, int maxLength)
      throws IOException {
    return NamedTasks.of(task).orElseThrow().read(file, encoding(causal, maxLength));
  }

  /// Metrics that read nothing but outputs.
  private static Map<String, Double> metrics(TaskSet set, Dataset some, float[]... outputs)
      throws IOException {
    try (TaskModel any = TaskCases.read("roberta").open(DType.F32, Use.FROZEN)) {
      return set.scores(
              some, new Evaluation(0, outputs.length, List.of(outputs)), any, PassAddition.NONE)
          .metrics();
    }
  }

  @Test
  void namesAreThoseOfTheTasks() {
    assertThat(NamedTasks.names())
        .containsExactly(
            "cola",
            "sst2",
            "mrpc",
            "qqp",
            "stsb",
            "mnli",
            "qnli",
            "rte",
            "wnli",
            "squad",
            "squad_v2",
            "e2e",
            "webnlg",
            "alpaca",
            "mmlu");
    for (String name : NamedTasks.names()) {
      assertThat(NamedTasks.of(name).orElseThrow().name()).isEqualTo(name);
    }
    assertThat(NamedTasks.of("SST-2").orElseThrow().name()).isEqualTo("sst2");
    assertThat(NamedTasks.of("E2E").orElseThrow().head()).isNull();
    assertThat(NamedTasks.of("glue")).isEmpty();
    assertThat(requireNonNull(NamedTasks.of("stsb").orElseThrow().head()).kind())
        .isEqualTo(Task.Kind.REGRESSION);
  }

  @Test
  void textsStandBetweenAnEncodersTokensOrOneBehindTheOther() throws IOException {
    Path file = file("rte.tsv", "sentence1\tsentence2\tlabel", "a bb\tccc\tnot_entailment");
    Example encoder = read("rte", file, false, 40).examples().examples().getFirst();
    assertThat(encoder.ids()).containsExactly(1, 11, 12, 2, 3, 13, 4);
    assertThat(encoder.sequenceLabel()).isEqualTo(new SequenceLabel.Category(1));
    assertThat(encoder.targets()).isEqualTo(1);
    Example decoder = read("rte", file, true, 40).examples().examples().getFirst();
    assertThat(decoder.ids()).containsExactly(11, 16); // a line break is no blank to these words
    Path one = file("sst2.tsv", "sentence\tlabel", "a bb\t0");
    assertThat(read("sst2", one, false, 40).examples().examples().getFirst().ids())
        .containsExactly(1, 11, 12, 4);
  }

  /// As the tokenizers library truncates pairs with `longest_first`.
  @ParameterizedTest
  @CsvSource({
    "10,3,8,5,3",
    "3,10,8,3,5",
    "10,10,9,4,5",
    "11,10,9,5,4",
    "2,2,8,2,2",
    "10,4,8,4,4",
    "9,0,4,4,0"
  })
  void longerTextIsCutFirst(int first, int second, int room, int keptFirst, int keptSecond) {
    int[] ids = AnswersTest.LAYOUT.of(filled(first, 50), filled(second, 60), room + 4);
    assertThat(Arrays.stream(ids).filter(id -> id == 50)).hasSize(keptFirst);
    assertThat(Arrays.stream(ids).filter(id -> id == 60)).hasSize(keptSecond);
    assertThat(ids).startsWith(1).endsWith(4).containsSubsequence(2, 3);
  }

  private static int[] filled(int length, int value) {
    int[] filled = new int[length];
    Arrays.fill(filled, value);
    return filled;
  }

  @Test
  void rowsThatAreCutAreCounted() throws IOException {
    Path file = file("sst2.tsv", "sentence\tlabel", "a b c d e f g h\t0", "a\t1");
    Dataset data = read("sst2", file, false, 8).examples();
    assertThat(data.truncated()).isEqualTo(1);
    assertThat(data.examples().stream().map(Example::length)).containsExactly(8, 3);
    assertThatThrownBy(() -> encoding(false, 7)).hasMessageContaining("maximum length 7");
  }

  @Test
  void metricsAreOfTheRowsOfAPart() throws IOException {
    Path file =
        file(
            "mrpc.jsonl",
            "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": 1}",
            "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": 0}",
            "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": 1}",
            "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": 1}");
    TaskSet set = read("mrpc", file, false, 20);
    Dataset part = new Dataset(set.examples().examples().subList(1, 4), 0, 0);
    Map<String, Double> metrics =
        metrics(set, part, new float[] {2, 0}, new float[] {0, 3}, new float[] {1, 0});
    assertThat(metrics.keySet()).containsExactly("accuracy", "f1", "ece", "brier");
    assertThat(metrics.get("accuracy")).isCloseTo(2.0 / 3, within(1e-12));
    assertThat(metrics.get("f1")).isCloseTo(2.0 / 3, within(1e-12));
    TaskSet cola = read("cola", file("cola.tsv", "s\t1\t\ta", "s\t0\t*\tb"), false, 20);
    assertThat(metrics(cola, cola.examples(), new float[] {0, 1}, new float[] {1, 0}))
        .containsEntry("matthews_correlation", 1.0)
        .containsEntry("accuracy", 1.0);
  }

  @Test
  void correlationOfOneRowIsNone() throws IOException {
    TaskSet one =
        read("stsb", file("stsb.tsv", "sentence1\tsentence2\tscore", "a\tb\t2.5"), false, 20);
    assertThat(metrics(one, one.examples(), new float[] {1}))
        .containsEntry("pearson", Double.NaN)
        .containsEntry("spearmanr", Double.NaN);
  }

  @Test
  void answersAreChosenOverTheWindowsOfAQuestion() throws IOException {
    Path file =
        file(
            "squad.jsonl",
            "{\"id\": \"1\", \"context\": \"a bb ccc dd e ff g\", \"question\": \"x\", \"answers\":"
                + " {\"text\": [\"dd e\"], \"answer_start\": [9]}}",
            "{\"id\": \"2\", \"context\": \"a bb\", \"question\": \"x\", \"answers\": {\"text\":"
                + " [\"bb\"], \"answer_start\": [2]}}");
    TaskSet set = read("squad", file, false, 9);
    List<Example> windows = set.examples().examples();
    assertThat(windows.size()).isGreaterThan(2);
    assertThat(windows.stream().map(Example::document).distinct()).containsExactly(0, 1);
    float[][] outputs = new float[windows.size()][];
    for (int i = 0; i < outputs.length; i++) {
      outputs[i] = new float[2 * windows.get(i).length()];
      SequenceLabel.Span span = (SequenceLabel.Span) requireNonNull(windows.get(i).sequenceLabel());
      outputs[i][2 * span.start()] = span.start() == 0 ? 1 : 9;
      outputs[i][2 * span.end() + 1] = span.start() == 0 ? 1 : 9;
    }
    assertThat(metrics(set, set.examples(), outputs))
        .containsExactly(Map.entry("exact_match", 100.0), Map.entry("f1", 100.0));
    int last = outputs.length - 1;
    Dataset second = new Dataset(windows.subList(last, last + 1), 0, 0);
    assertThat(metrics(set, second, outputs[last])).containsEntry("exact_match", 100.0);
  }

  @Test
  void eachReferenceIsACompletion() throws IOException {
    Path file =
        file("e2e.csv", "mr,ref", "name[Eagle],It is one.", "name[Eagle],One.", "name[Owl],It is.");
    Dataset data = read("e2e", file, true, 40).examples();
    assertThat(data.examples().stream().map(Example::document)).containsExactly(0, 0, 1);
    assertThat(data.examples().stream().map(Example::targets)).containsExactly(3, 1, 2);
  }

  @Test
  void letterIsWhatIsLearntOfAChoice() throws IOException {
    Path file = file("law_test.csv", "Who?,he,she,it,we,C");
    Path shots = file("law_dev.csv", "What?,a,b,c,d,A");
    Dataset plain = read("mmlu", file, true, 80).examples();
    assertThat(plain.examples().getFirst().targets()).isEqualTo(1);
    TaskEncoding with =
        new TaskEncoding(new Words(), true, 200, 20, o -> o, Set.of(), 5, directory);
    Dataset shot = NamedTasks.of("mmlu").orElseThrow().read(file, with).examples();
    assertThat(shot.examples().getFirst().length())
        .isGreaterThan(plain.examples().getFirst().length());
    assertThat(shots).exists();
    Dataset cut = read("mmlu", file, true, 8).examples();
    assertThat(cut.truncated()).isEqualTo(1);
    int[] ids = cut.examples().getFirst().ids();
    int[] whole = plain.examples().getFirst().ids();
    assertThat(ids).containsExactly(Arrays.copyOfRange(whole, whole.length - 8, whole.length));
  }

  @Test
  void subjectsOfOneFileHaveTheirOwnPrompts() throws IOException {
    String row =
        "{\"question\": \"Who?\", \"subject\": \"%s\", \"choices\": [\"he\", \"she\", \"it\","
            + " \"we\"], \"answer\": 2}";
    Path file = file("test.jsonl", row.formatted("law"), row.formatted("long_name_of_law"));
    List<Example> both = read("mmlu", file, true, 200).examples().examples();
    int words = both.getLast().length() - both.getFirst().length();
    assertThat(words).isPositive();
    Path dev = file("dev.jsonl", row.formatted("long_name_of_law"), row.formatted("law"));
    TaskEncoding with = new TaskEncoding(new Words(), true, 400, 20, o -> o, Set.of(), 5, dev);
    List<Example> shots =
        NamedTasks.of("mmlu").orElseThrow().read(file, with).examples().examples();
    assertThat(shots.getLast().length() - shots.getFirst().length()).isEqualTo(words);
    TaskEncoding other =
        new TaskEncoding(
            new Words(),
            true,
            400,
            20,
            o -> o,
            Set.of(),
            5,
            file("one.jsonl", row.formatted("law")));
    assertThatThrownBy(() -> NamedTasks.of("mmlu").orElseThrow().read(file, other))
        .hasMessageContaining("one.jsonl: subject: found no question about long_name_of_law");
  }

  @Test
  void classesOfAFileAreNumbersThenWords() throws IOException {
    Path file = file("any.csv", "text,label", "a,10", "b,no", "c,9", "d,10", "e,-1");
    assertThat(ClassificationTask.labelsOf(file)).containsExactly("-1", "9", "10", "no");
    ClassificationTask task = ClassificationTask.ofText(List.of("9", "10"));
    assertThatThrownBy(() -> task.read(file))
        .hasMessageContaining("line 3, label: found \"no\", expected 0 to 1, or 9, 10");
    Path pairs = file("pairs.jsonl", "{\"text\": \"a\", \"text_pair\": \"b\", \"label\": 10}");
    assertThat(task.read(pairs).rows()).containsExactly(new ClassificationRow("a", "b", 1));
    assertThat(ClassificationTask.ofText(List.of()).read(pairs).rows())
        .containsExactly(new ClassificationRow("a", "b", 10));
  }
}
