package dev.gatun.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.cli.study.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/// `gatun study` of recipes with a task, by tiny random models.
class StudyTasksTest {
  private static final String COURSE =
      """
      max-length: 32
      steps: %d
      batch: 4
      lr: 1e-2
      rank: 2
      seeds: 2
      """;

  @TempDir Path folder;

  private Path file(String name, String... lines) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, Arrays.asList(lines));
  }

  private Path mnli() throws IOException {
    List<String> lines = new ArrayList<>();
    String[] things = {"cat", "dog", "river", "food"};
    String[] hypotheses = {"it is red", "it is big", "it is not red"};
    for (int i = 0; i < 12; i++) {
      lines.add(
          "{\"premise\": \"the %s is red\", \"hypothesis\": \"%s\", \"label\": %d}"
              .formatted(things[i % 4], hypotheses[i % 3], i % 3));
    }
    return file("mnli.jsonl", lines.toArray(String[]::new));
  }

  private Path cola() throws IOException {
    List<String> lines = new ArrayList<>();
    String[] things = {"cat", "dog", "river", "food"};
    for (int i = 0; i < 12; i++) {
      boolean bad = i % 3 == 0;
      lines.add(
          "t\t%d\t\tthe %s is %s".formatted(bad ? 0 : 1, things[i % 4], bad ? "bad" : "good"));
    }
    return file("cola.tsv", lines.toArray(String[]::new));
  }

  private Path recipe(String model, String task, int steps, String data, String... methods)
      throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("name: Tiny " + task);
    lines.add("model: " + TaskFixtures.model(folder, model));
    lines.add("task: " + task);
    lines.add(data);
    lines.add(COURSE.formatted(steps));
    lines.add("methods:");
    lines.addAll(List.of(methods));
    return file("tiny.yaml", lines.toArray(String[]::new));
  }

  private static String both(Path data) {
    return "train: %s%nheld-out: %s".formatted(data.getFileName(), data.getFileName());
  }

  private static Ended study(Path recipe, Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "study", recipe.toString(), "--threads", "1", "--out", out.toString(), "--json"));
    arguments.addAll(List.of(more));
    return Ended.gatun(arguments.toArray(String[]::new));
  }

  private static void assertGood(Ended run) {
    assertThat(run.status()).as(run.err()).isZero();
  }

  private static JsonNode method(Ended run, int index) {
    return run.json().get("methods").get(index);
  }

  private static double metric(Ended run, int method, String name) {
    return method(run, method).get("metrics").get(name).get("mean").asDouble();
  }

  private static String page(Path out) throws Exception {
    Path page = out.resolve("report.html");
    DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(page.toFile());
    return Files.readString(page);
  }

  @Test
  void metricsAreComparedAndAKilledStudyGoesOn() throws Exception {
    Path recipe =
        recipe(
            "roberta",
            "mnli",
            80,
            both(mnli()) + "\neval-every: 20",
            "  - {name: LoRA, reported: {accuracy: 90.65, accuracy mismatched: 90.69}}",
            "  - {name: Drop & LoRA, dropout: \"lora-dropout:p=0.2,n=2\"}",
            "  - {name: BitFit, method: bitfit}");
    Path whole = folder.resolve("whole");
    Ended first = study(recipe, whole);
    assertGood(first);
    assertThat(first.json().get("task").asString()).isEqualTo("mnli");
    assertThat(first.json().get("metric").asString()).isEqualTo("accuracy");
    assertThat(metric(first, 0, "accuracy")).isGreaterThan(0.9);
    JsonNode lora = method(first, 0);
    assertThat(lora.get("metrics").propertyNames()).containsExactly("accuracy", "brier");
    assertThat(lora.get("reported").get("accuracy").asDouble()).isCloseTo(0.9065, within(1e-12));
    assertThat(lora.get("calibration_error").get("mean").asDouble()).isBetween(0.0, 1.0);
    assertThat(lora.get("metric_difference").asDouble()).isZero();
    assertThat(lora.get("metric_p").isNull()).isTrue();
    assertThat(lora.get("ensemble_metrics").size()).isZero();
    JsonNode dropped = method(first, 1);
    assertThat(dropped.get("ensemble_metrics").get("accuracy").get("mean").asDouble())
        .isBetween(0.0, 1.0);
    assertThat(dropped.get("metric_difference").asDouble())
        .isCloseTo(metric(first, 1, "accuracy") - metric(first, 0, "accuracy"), within(1e-12));
    assertThat(first.out()).contains("accuracy", "0.9065");

    List<String> runs = Files.readAllLines(whole.resolve("runs.jsonl"));
    assertThat(runs).hasSize(6);
    assertThat(runs.getFirst()).contains("\"step\":20,\"loss\":").doesNotContain("\"metric\":null");
    List<String> csv = Files.readAllLines(whole.resolve("results.csv"));
    assertThat(csv).hasSize(7);
    assertThat(csv.getFirst())
        .endsWith(
            "ensemble_loss,accuracy,ensemble_accuracy,brier,ensemble_brier,\"paper_accuracy\","
                + "\"paper_accuracy mismatched\"");
    assertThat(csv.get(1).replaceAll("\"[^\"]*\"", "text").split(",", -1))
        .hasSameSizeAs(csv.getFirst().split(",", -1))
        .endsWith("0.9065", "0.9069");
    assertThat(page(whole))
        .contains(
            "Drop &amp; LoRA",
            "Metrics of mnli",
            "<th>accuracy</th><th>paper: accuracy</th>",
            "<td>0.9065</td>",
            "paper: accuracy mismatched",
            "<div>ensemble ",
            "Held-out accuracy",
            "Losses per row",
            "Reliability");

    Path killed = folder.resolve("killed");
    Files.createDirectories(killed);
    for (String each : new String[] {"recipe.yaml", "costs.json"}) {
      Files.copy(whole.resolve(each), killed.resolve(each));
    }
    String kept = String.join("\n", runs.subList(0, 3)) + "\n" + runs.get(3).substring(0, 30);
    Files.writeString(killed.resolve("runs.jsonl"), kept);
    Ended second = study(recipe, killed, "--side-by-side", "1");
    assertGood(second);
    assertThat(second.err()).contains("3 of 6 runs are done already");
    for (int i = 0; i < 3; i++) {
      assertThat(metric(second, i, "accuracy")).isEqualTo(metric(first, i, "accuracy"));
      assertThat(method(second, i).get("eval_loss").get("mean").asDouble())
          .isCloseTo(method(first, i).get("eval_loss").get("mean").asDouble(), within(1e-3));
    }
  }

  /// A head that the model lacks is another for each seed, whatever shares a pass.
  @Test
  void headsAreDrawnBySeed() throws Exception {
    Path recipe =
        recipe(
            "gpt2",
            "cola",
            1,
            both(cola()) + "\nmetric: accuracy",
            "  - {name: LoRA}",
            "  - {name: HiddenKey, dropout: hiddenkey}",
            "  - {name: all, method: full, lr: 0}");
    Ended together = study(recipe, folder.resolve("together"), "--side-by-side", "9");
    assertGood(together);
    assertThat(together.json().get("metric").asString()).isEqualTo("accuracy");
    Ended apart = study(recipe, folder.resolve("apart"), "--side-by-side", "1");
    assertGood(apart);
    for (int i = 0; i < 3; i++) {
      JsonNode loss = method(together, i).get("eval_loss");
      assertThat(loss.get("deviation").asDouble()).as("method %d", i).isGreaterThan(1e-3);
      assertThat(method(apart, i).get("eval_loss").get("mean").asDouble())
          .isCloseTo(loss.get("mean").asDouble(), within(1e-4));
    }
  }

  @Test
  void adaptersThatShareNoPassAreRunToo() throws Exception {
    Path recipe =
        recipe(
            "deberta-p2c",
            "cola",
            40,
            both(cola()) + "\nlabel-smoothing: 0.1",
            "  - {name: LoRA}",
            "  - {name: HiddenKey, dropout: \"hiddenkey:p=0.1\"}",
            "  - {name: AdaLoRA, method: adalora, rank: 3, target-rank: 2}");
    Ended run = study(recipe, folder.resolve("out"));
    assertGood(run);
    for (int i = 0; i < 3; i++) {
      assertThat(metric(run, i, "matthews_correlation")).as("method %d", i).isGreaterThan(0.5);
    }
  }

  @Test
  void numbersAndAnswersHaveNoCalibration() throws Exception {
    Path pairs =
        file(
            "stsb.csv",
            "sentence1,sentence2,score",
            "the cat is red,the cat is red,5.0",
            "the cat is red,the dog is big,1",
            "the river is blue,a dog runs,0.0",
            "a cat sings,a cat eats,2.5");
    Path out = folder.resolve("numbers");
    Ended numbers = study(recipe("xlm-roberta", "stsb", 40, both(pairs), "  - {name: LoRA}"), out);
    assertGood(numbers);
    assertThat(metric(numbers, 0, "pearson")).isGreaterThan(0.8);
    assertThat(method(numbers, 0).get("calibration_error").isNull()).isTrue();
    assertThat(page(out)).doesNotContain("Reliability", "calibration error", "Held-out pearson");

    String question =
        "{\"id\": \"%d\", \"context\": \"the cat is red and the dog is blue .\", \"question\": \"what"
            + " is the %s\", \"answers\": {\"text\": [\"%s\"], \"answer_start\": [%d]}}";
    Path questions =
        file(
            "squad.jsonl",
            question.formatted(1, "dog", "blue", 30),
            question.formatted(2, "cat", "red", 11));
    Ended answers =
        study(
            recipe(
                "roberta-qa",
                "squad",
                40,
                both(questions) + "\nheld-out-rows: 1\nmetric: f1",
                "  - {name: LoRA, reported: {exact_match: 86.7, f1: 93.1}}"),
            folder.resolve("answers"));
    assertGood(answers);
    assertThat(metric(answers, 0, "f1")).isEqualTo(100);
    assertThat(method(answers, 0).get("metrics").propertyNames())
        .containsExactly("f1", "exact_match");
    assertThat(method(answers, 0).get("reported").get("f1").asDouble()).isEqualTo(93.1);
  }

  @Test
  void textsAreWrittenAndMeasured() throws Exception {
    Path data =
        file(
            "e2e.csv",
            "mr,ref",
            "\"name[cat], food[cheap]\",the cat is cheap .",
            "\"name[dog], price[high]\",the dog is big .");
    String decoding =
        "label-smoothing: 0.1\ndecoding: {beams: 2, length-penalty: 0.9, no-repeat-ngram: 4}";
    Path out = folder.resolve("out");
    Ended run =
        study(
            recipe(
                "llama",
                "e2e",
                40,
                both(data) + "\n" + decoding,
                "  - {name: LoRA, reported: {bleu: 68.5, meteor: 46.43}}",
                "  - {name: Dropout, dropout: \"lora-dropout:p=0.1,n=2\"}"),
            out);
    assertGood(run);
    assertThat(method(run, 0).get("metrics").propertyNames())
        .containsExactly("bleu", "nist", "meteor", "rougeL", "cider");
    assertThat(metric(run, 0, "bleu")).isGreaterThan(50);
    assertThat(method(run, 0).get("reported").get("meteor").asDouble()).isEqualTo(0.4643);
    assertThat(method(run, 1).get("ensemble_loss").isNull()).isFalse();
    assertThat(method(run, 1).get("ensemble_metrics").size()).isZero();
    assertThat(page(out)).contains("paper: bleu", "nats per predicted token", "Reliability");
  }

  @Test
  void choicesAreMeasuredAfterInstructions() throws Exception {
    file(
        "alpaca.json",
        "[{\"instruction\": \"what is red\", \"input\": \"\", \"output\": \"the cat\"},",
        "{\"instruction\": \"what is big\", \"input\": \"\", \"output\": \"the dog\"}]");
    file("mmlu/colour_test.csv", "what is red,cat,dog,food,river,B");
    file("mmlu/size_test.csv", "what is big,cat,dog,food,river,D");
    file("dev/colour_dev.csv", "what is blue,cat,dog,food,river,A");
    file("dev/size_dev.csv", "what is small,cat,dog,food,river,A");
    Path out = folder.resolve("out");
    Ended run =
        study(
            recipe(
                "llama",
                "alpaca",
                4,
                "held-out-task: mmlu\ntrain: alpaca.json\nheld-out: mmlu\nshots: dev",
                "  - {name: LoRA}"),
            out);
    assertGood(run);
    assertThat(run.json().get("task").asString()).isEqualTo("mmlu");
    assertThat(metric(run, 0, "accuracy")).isBetween(0.0, 1.0);
    assertThat(method(run, 0).get("gap").isNull()).as("losses of two tasks").isTrue();
    assertThat(page(out)).contains("alpaca, measured on mmlu").doesNotContain("overfitting gap");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "roberta | cola | - | task cola: found a head of 3 classes (LABEL_0, LABEL_1, LABEL_2) in",
        "roberta-qa | cola | - | task cola: found a head for question answering in",
        "roberta | e2e | - | task e2e: found a head of 3 classes",
        "gpt2 | squad | - | task squad: found a decoder in",
        "deberta-p2c | sst2 | - | cola.tsv: line 1: found the columns",
        "deberta-p2c | cola | metric: f1 | metric: found f1, expected matthews_correlation, accuracy",
        "deberta-p2c | cola | held-out-task: mnli | held-out-task: found mnli, expected one that the head",
        "deberta-p2c | cola | decoding: {beams: 2} | decoding: found this key with cola, expected one of e2e",
        "deberta-p2c | cola | shots: dev | shots: found dev, expected none: they are for mmlu",
        "deberta-p2c | cola | held-out-rows: 13 | cola.tsv: rows: found 12, expected at least the 13",
        "xlm-roberta | stsb | label-smoothing: 0.1 | label-smoothing: found 0.1, expected 0, or with a task",
        "llama | e2e | decoding: {repetition-penalty: 0} | decoding: repetition-penalty: found 0, expected a",
      })
  void whatIsWrongIsSaidBeforeAnyTraining(String model, String task, String key, String message)
      throws IOException {
    String more = key.equals("-") ? "" : "\n" + key;
    Path out = folder.resolve("out");
    Ended ended = study(recipe(model, task, 2, both(cola()) + more, "  - {name: LoRA}"), out);
    assertThat(ended.status()).isBetween(1, 2);
    assertThat(ended.err().strip().lines().filter(line -> line.startsWith("gatun: ")))
        .as(ended.err())
        .hasSize(1)
        .allSatisfy(line -> assertThat(line).contains(message));
    assertThat(out.resolve("runs.jsonl")).doesNotExist();
  }

  @Test
  void aModelWithoutTokenizerIsRefused() throws IOException {
    Path recipe = recipe("roberta", "mnli", 2, both(mnli()), "  - {name: LoRA}");
    Files.delete(folder.resolve("roberta/tokenizer.json"));
    Ended ended = study(recipe, folder.resolve("out"));
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err()).contains("roberta: task mnli: found no tokenizer.json, expected one");
  }

  static List<Path> recipes() throws IOException {
    try (Stream<Path> all = Files.walk(Path.of("../recipes").toAbsolutePath().normalize())) {
      return all.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  /// What a recipe lacks is named in one line: first the model, then the data.
  @ParameterizedTest
  @MethodSource("recipes")
  void whatIsMissingIsNamed(Path file) throws IOException {
    Recipe recipe = Recipe.read(file);
    Path model = requireNonNull(recipe.model());
    assertThat(model).as("the test is of a checkout without models").doesNotExist();
    assertThat(refusal(file)).isEqualTo("gatun: " + model + ": no such model directory");
    Path copy =
        Files.writeString(
            folder.resolve("recipe.yaml"),
            Files.readString(file).replaceFirst("(?m)^model: .*$", "model: " + folder));
    assertThat(refusal(copy))
        .isEqualTo("gatun: %s: no such data file or folder".formatted(Recipe.read(copy).train()));
    Path train = Recipe.read(copy).train();
    Path own =
        Files.writeString(
            copy, Files.readString(copy).replaceFirst("(?m)^train: .*$", "train: " + folder));
    assertThat(refusal(own))
        .isEqualTo("gatun: %s: no such data file or folder".formatted(Recipe.read(own).heldOut()));
    assertThat(train).doesNotExist();
  }

  private String refusal(Path recipe) {
    Ended ended = study(recipe, folder.resolve("out"));
    assertThat(ended.status()).isEqualTo(1);
    return ended.err().strip();
  }
}
