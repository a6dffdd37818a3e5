package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// `finetune` and `eval` of tasks, by tiny random models with a tokenizer of words.
class TaskCommandsTest {
  @TempDir Path directory;
  private Path cola;
  private Path pairs;

  @BeforeEach
  void writeData() throws IOException {
    cola = directory.resolve("cola.tsv");
    pairs = directory.resolve("rte.tsv");
    List<String> sentences = new ArrayList<>();
    List<String> entailments = new ArrayList<>(List.of("index\tsentence1\tsentence2\tlabel"));
    String[] things = {"cat", "dog", "river", "food"};
    String[] colours = {"red", "blue", "big", "small"};
    for (int i = 0; i < 16; i++) {
      String thing = things[i % 4];
      String word = i % 3 == 0 ? "bad" : "good"; // 6 of 16 are bad
      sentences.add(
          "t\t%d\t\tthe %s is %s %s".formatted(i % 3 == 0 ? 0 : 1, thing, word, colours[i / 4]));
      entailments.add(
          "%d\tthe %s is %s\tit is %s\t%s"
              .formatted(
                  i, thing, word, colours[i / 4], i % 3 == 0 ? "not_entailment" : "entailment"));
    }
    Files.write(cola, sentences);
    Files.write(pairs, entailments);
  }

  private String model(String name) throws IOException {
    return TaskFixtures.model(directory, name).toString();
  }

  private Path file(String name, String... lines) throws IOException {
    return Files.write(directory.resolve(name), Arrays.asList(lines));
  }

  private static Ended gatun(String verb, String... arguments) {
    return Ended.gatun(
        Stream.concat(
                Stream.of(verb),
                Stream.concat(Arrays.stream(arguments), Stream.of("--threads", "1", "--json")))
            .toArray(String[]::new));
  }

  private Ended finetune(String model, String task, Path data, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--model",
                model(model),
                "--task",
                task,
                "--data",
                data.toString(),
                "--eval",
                data.toString(),
                "--batch",
                "8",
                "--schedule",
                "constant",
                "--out",
                directory.resolve("run").toString()));
    arguments.addAll(List.of(more));
    if (!arguments.contains("--max-length")) {
      arguments.addAll(List.of("--max-length", "32"));
    }
    return gatun("finetune", arguments.toArray(String[]::new));
  }

  private Ended eval(String model, String task, Path data, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--model",
                model(model),
                "--task",
                task,
                "--data",
                data.toString(),
                "--max-length",
                "32"));
    arguments.addAll(List.of(more));
    return gatun("eval", arguments.toArray(String[]::new));
  }

  private static double metric(Ended run, String when, String name) {
    return run.json().get("eval_metrics_" + when).get(name).asDouble();
  }

  private static void assertGood(Ended run) {
    assertThat(run.status()).as(run.err()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "lora,hiddenkey",
    "lora,'lora-dropout:p=0.1,n=2'",
    "dora,none",
    "adalora,hiddencut",
    "bitfit,none",
    "houlsby,dropkey",
    "pfeiffer,'hiddenkey:loss=js'",
    "full,hiddenkey-minus"
  })
  void acceptableSentencesAreLearnt(String method, String dropout) throws IOException {
    Ended run =
        finetune(
            "deberta-p2c",
            "cola",
            cola,
            "--method",
            method,
            "--dropout",
            dropout,
            "--steps",
            "60",
            "--lr",
            "1e-2",
            "--eval-every",
            "30");
    assertGood(run);
    JsonNode json = run.json();
    assertThat(json.get("train_loss").size()).isEqualTo(60);
    assertThat(metric(run, "after", "accuracy")).isGreaterThan(0.9); // 10 of 16 are the majority
    assertThat(metric(run, "after", "matthews_correlation")).isGreaterThan(0.8);
    assertThat(json.get("eval_metrics_after").propertyNames())
        .containsExactly("matthews_correlation", "accuracy", "ece", "brier");
    assertThat(json.get("eval_loss_after").asDouble())
        .isLessThan(json.get("eval_loss_before").asDouble());
    assertThat(Files.readString(directory.resolve("run/metrics.jsonl")))
        .contains("\"eval_metrics\":{\"matthews_correlation\":");
    assertThat(Files.readString(directory.resolve("run/report.html")))
        .contains("Held-out loss", "accuracy: ");
    String written = json.get("adapter").asString();
    Ended again =
        method.equals("full")
            ? gatun(
                "eval",
                "--model",
                written,
                "--task",
                "cola",
                "--data",
                cola.toString(),
                "--max-length",
                "32")
            : eval("deberta-p2c", "cola", cola, "--adapter", written);
    assertGood(again);
    assertThat(again.json().get("loss").asDouble())
        .isCloseTo(json.get("eval_loss_after").asDouble(), within(1e-5));
    assertThat(again.json().get("rows").asInt()).isEqualTo(16);
    assertThat(again.json().get("metrics").get("accuracy").asDouble())
        .isEqualTo(metric(run, "after", "accuracy"));
  }

  @Test
  void ensemblesAreMeasured() throws IOException {
    Ended run =
        finetune(
            "roberta",
            "mnli",
            file(
                "mnli.jsonl",
                "{\"premise\": \"the cat is red\", \"hypothesis\": \"it is red\", \"label\": 0}",
                "{\"premise\": \"the cat is red\", \"hypothesis\": \"it is big\", \"label\": 1}",
                "{\"premise\": \"the cat is red\", \"hypothesis\": \"it is not red\", \"label\": 2}"),
            "--dropout",
            "lora-dropout:p=0.2,n=3",
            "--steps",
            "40",
            "--lr",
            "5e-3");
    assertGood(run);
    assertThat(metric(run, "after", "accuracy")).isEqualTo(1);
    String adapter = run.json().get("adapter").asString();
    Path data = directory.resolve("mnli.jsonl");
    double plain = loss(eval("roberta", "mnli", data, "--adapter", adapter));
    double logits =
        loss(
            eval(
                "roberta",
                "mnli",
                data,
                "--adapter",
                adapter,
                "--ensemble",
                "lora-dropout:p=0.2,n=8"));
    double probabilities =
        loss(
            eval(
                "roberta",
                "mnli",
                data,
                "--adapter",
                adapter,
                "--ensemble",
                "lora-dropout:p=0.2,n=8",
                "--average",
                "probabilities"));
    double expected =
        loss(eval("roberta", "mnli", data, "--adapter", adapter, "--expected-dropout", "0.2"));
    assertThat(List.of(plain, logits, probabilities, expected)).doesNotHaveDuplicates();
    assertThat(logits).isCloseTo(expected, within(0.2));
  }

  private static double loss(Ended run) {
    assertGood(run);
    return run.json().get("loss").asDouble();
  }

  @Test
  void headThatIsNotThereIsNewAndTrained() throws IOException {
    Ended plan = finetune("gpt2", "cola", cola, "--dry-run");
    assertGood(plan);
    assertThat(plan.err()).contains("head       new: score.weight", "16 labels");
    assertThat(directory.resolve("run")).doesNotExist();
    Ended run =
        finetune("gpt2", "cola", cola, "--dropout", "none", "--steps", "60", "--lr", "1e-2");
    assertGood(run);
    assertThat(metric(run, "after", "accuracy")).isGreaterThan(0.9);
    Ended eval = eval("gpt2", "cola", cola, "--adapter", run.json().get("adapter").asString());
    assertThat(loss(eval)).isCloseTo(run.json().get("eval_loss_after").asDouble(), within(1e-5));
  }

  @Test
  void risingLossEndsTheRun() throws IOException {
    String flipped =
        Files.readString(cola)
            .replace("t\t0\t", "t\tx\t")
            .replace("t\t1\t", "t\t0\t")
            .replace("t\tx\t", "t\t1\t");
    Path heldOut = Files.writeString(directory.resolve("flipped.tsv"), flipped);
    Ended run =
        gatun(
            "finetune",
            "--model",
            model("deberta-p2c"),
            "--task",
            "cola",
            "--data",
            cola.toString(),
            "--eval",
            heldOut.toString(),
            "--batch",
            "8",
            "--lr",
            "1e-2",
            "--steps",
            "200",
            "--eval-every",
            "4",
            "--patience",
            "3",
            "--out",
            directory.resolve("run").toString());
    assertGood(run);
    assertThat(run.json().get("end").asString()).isEqualTo("stopped_early");
    assertThat(run.json().get("steps").asInt()).isLessThan(200);
  }

  @Test
  void mergedModelNeedsNoAdapter() throws IOException {
    Ended run = finetune("deberta-p2c", "cola", cola, "--steps", "10", "--lr", "1e-2");
    assertGood(run);
    String merged = directory.resolve("merged").toString();
    assertGood(
        Ended.gatun(
            "merge",
            "--model",
            model("deberta-p2c"),
            "--task",
            "cola",
            "--adapter",
            run.json().get("adapter").asString(),
            "--out",
            merged));
    Ended after = gatun("eval", "--model", merged, "--task", "cola", "--data", cola.toString());
    assertThat(loss(after)).isCloseTo(run.json().get("eval_loss_after").asDouble(), within(1e-5));
    assertThat(Files.readString(Path.of(merged, "config.json"))).contains("\"unacceptable\"");
  }

  @Test
  void pairsAndASplitAreRead() throws IOException {
    Ended run =
        gatun(
            "finetune",
            "--model",
            model("deberta-p2c"),
            "--task",
            "RTE",
            "--data",
            pairs.toString(),
            "--eval-split",
            "0.25",
            "--steps",
            "3",
            "--accumulate",
            "2",
            "--gradient-checkpointing",
            "--pack",
            "--dropout",
            "hiddenkey",
            "--kl-one-batch",
            "--out",
            directory.resolve("run").toString(),
            "--max-length",
            "40");
    assertGood(run);
    assertThat(run.json().get("kl_loss").valueStream().mapToDouble(JsonNode::asDouble))
        .allMatch(kl -> kl > 0);
    assertThat(run.json().get("eval_metrics_after").propertyNames()).contains("accuracy");
    assertThat(run.err()).contains("12 rows", "12 labels", "held out 4 rows");
  }

  @Test
  void similaritiesAreLearnt() throws IOException {
    Path data =
        file(
            "stsb.csv",
            "sentence1,sentence2,score",
            "the cat is red,the cat is red,5.0",
            "the cat is red,the dog is big,1",
            "the food is good,the food is very good,4.2",
            "the river is blue,a dog runs,0.0",
            "a cat sings,a cat eats,2.5");
    Ended run =
        finetune(
            "xlm-roberta",
            "stsb",
            data,
            "--dropout",
            "hiddenkey:lambda=0.1",
            "--steps",
            "80",
            "--lr",
            "1e-2");
    assertGood(run);
    assertThat(metric(run, "after", "pearson")).isGreaterThan(0.9);
    assertThat(metric(run, "after", "spearmanr")).isGreaterThan(0.7);
  }

  @Test
  void answersAreLearnt() throws IOException {
    Path data =
        file(
            "squad.jsonl",
            "{\"id\": \"1\", \"context\": \"the cat is red and the dog is blue .\", \"question\":"
                + " \"what is the dog\", \"answers\": {\"text\": [\"blue\"], \"answer_start\": [30]}}",
            "{\"id\": \"2\", \"context\": \"the cat is red and the dog is blue .\", \"question\":"
                + " \"what is the cat\", \"answers\": {\"text\": [\"red\"], \"answer_start\": [11]}}");
    Ended run =
        finetune("roberta-qa", "squad", data, "--dropout", "none", "--steps", "60", "--lr", "1e-2");
    assertGood(run);
    assertThat(metric(run, "after", "exact_match")).isEqualTo(100);
    assertThat(metric(run, "after", "f1")).isEqualTo(100);
    Ended v2 =
        eval("roberta-qa", "squad_v2", data, "--adapter", run.json().get("adapter").asString());
    assertGood(v2);
    assertThat(v2.json().get("metrics").get("HasAns_exact_match").asDouble()).isEqualTo(100);
  }

  @Test
  void textsAreWrittenAndMeasured() throws IOException {
    Path data =
        file(
            "e2e.csv",
            "mr,ref",
            "\"name[cat], food[cheap]\",the cat is cheap .",
            "\"name[dog], price[high]\",the dog is big .",
            "\"name[dog], price[high]\",a big dog .");
    Ended run =
        finetune(
            "llama",
            "e2e",
            data,
            "--dropout",
            "none",
            "--steps",
            "60",
            "--lr",
            "1e-2",
            "--beams",
            "2",
            "--max-new-tokens",
            "8");
    assertGood(run);
    assertThat(run.json().get("eval_metrics_after").propertyNames())
        .containsExactly("bleu", "nist", "meteor", "rougeL", "cider", "texts");
    assertThat(metric(run, "after", "texts")).isEqualTo(2);
    assertThat(metric(run, "after", "bleu")).isGreaterThan(metric(run, "before", "bleu"));
    assertThat(metric(run, "after", "bleu")).isGreaterThan(50);
    Ended none =
        eval(
            "llama",
            "e2e",
            data,
            "--texts",
            "0",
            "--adapter",
            run.json().get("adapter").asString());
    assertGood(none);
    assertThat(none.json().get("metrics").size()).isZero();
    assertThat(loss(none)).isCloseTo(run.json().get("eval_loss_after").asDouble(), within(1e-5));
  }

  @Test
  void choicesAreLearnt() throws IOException {
    Files.createDirectories(directory.resolve("mmlu"));
    Path data =
        file(
            "mmlu/colour_test.csv",
            "what is red,cat,dog,food,river,B",
            "what is big,cat,dog,food,river,D");
    Path shots = file("colour_dev.csv", "what is blue,cat,dog,food,river,A");
    Ended run =
        finetune(
            "llama",
            "mmlu",
            data.getParent(),
            "--dropout",
            "none",
            "--steps",
            "40",
            "--lr",
            "1e-2",
            "--shots",
            shots.toString(),
            "--max-length",
            "48");
    assertGood(run);
    assertThat(metric(run, "after", "accuracy")).isEqualTo(1);
  }

  @Test
  void labelsOfAnyFileAreFound() throws IOException {
    Path data =
        file(
            "any.jsonl",
            "{\"text\": \"the cat is good\", \"label\": \"yes\"}",
            "{\"text\": \"the cat is bad\", \"label\": \"no\"}",
            "{\"text\": \"the cat is\", \"label\": \"maybe\"}");
    Ended run =
        finetune(
            "gpt2-score",
            "classification",
            data,
            "--dropout",
            "none",
            "--steps",
            "40",
            "--lr",
            "1e-2");
    assertGood(run);
    assertThat(metric(run, "after", "accuracy")).isEqualTo(1);
    assertThat(metric(run, "after", "f1")).isEqualTo(1);
    String adapter = run.json().get("adapter").asString();
    Ended unnamed = eval("gpt2-score", "classification", data, "--adapter", adapter);
    assertThat(unnamed.status()).isEqualTo(2);
    assertThat(unnamed.err()).contains("--labels: found none and no head that names them");
    Ended named =
        eval(
            "gpt2-score", "classification", data, "--adapter", adapter, "--labels", "maybe,no,yes");
    assertGood(named);
    assertThat(named.json().get("metrics").get("accuracy").asDouble()).isEqualTo(1);
  }

  @Test
  void dropoutWithoutAdaptersToMaskIsRefused() throws IOException {
    assertRefused(
        finetune("roberta", "cola", cola, "--dropout", "lora-dropout", "--method", "bitfit"),
        2,
        "--dropout: found masks of adapters beside --method bitfit");
  }

  private void assertRefused(Ended run, int status, String... parts) {
    assertThat(run.status()).as(run.err()).isEqualTo(status);
    assertThat(run.err().strip().lines().filter(line -> line.startsWith("gatun: ")))
        .as(run.err())
        .hasSize(1)
        .allSatisfy(line -> assertThat(line).contains(parts));
    assertThat(run.err()).doesNotContain("training");
    assertThat(directory.resolve("run/checkpoints")).doesNotExist();
  }

  @Test
  void modelsThatDoNotFitTheTaskAreRefused() throws IOException {
    assertRefused(
        finetune("roberta", "squad", cola),
        2,
        "--task squad: found a head of 3 classes (LABEL_0, LABEL_1, LABEL_2)",
        "expected a head for question answering, or a model without a head");
    assertRefused(
        finetune("roberta", "cola", cola), 2, "3 classes", "expected a head of 2 classes");
    assertRefused(finetune("roberta-qa", "cola", cola), 2, "found a head for question answering");
    assertRefused(finetune("deberta-p2c", "stsb", cola), 2, "expected a head for a regression");
    assertRefused(finetune("xlm-roberta", "cola", cola), 2, "found a head for a regression");
    assertRefused(finetune("deberta-p2c", "e2e", cola), 2, "expected a language model");
    assertRefused(finetune("gpt2-score", "mmlu", cola), 2, "expected a language model");
    assertRefused(finetune("gpt2", "squad", cola), 2, "found a decoder", "expected an encoder");
    assertRefused(
        finetune(
            "gpt2",
            "cola",
            cola,
            "--init-adapter",
            TaskFixtures.PARITY.resolve("gpt2/adapters/default").toString()),
        2,
        "--init-adapter: found no score.weight in");
    assertRefused(
        gatun(
            "finetune",
            "--model",
            TaskFixtures.PARITY.resolve("gpt2").toString(),
            "--task",
            "cola",
            "--data",
            cola.toString()),
        2,
        "--task: found no tokenizer.json");
  }

  @Test
  void optionsThatDoNotGoTogetherAreRefused() throws IOException {
    assertRefused(
        finetune("roberta", "glue", cola), 2, "--task: found 'glue', expected cola, sst2");
    assertRefused(
        finetune("roberta", "cola", cola, "--labels", "a,b"), 2, "--labels: found --task cola");
    assertRefused(finetune("roberta", "classification", cola, "--labels", "a,a"), 2, "each once");
    assertRefused(
        finetune("roberta", "cola", cola, "--beams", "2"), 2, "--beams: found --task cola");
    assertRefused(finetune("llama", "e2e", cola, "--beams", "0"), 2, "beams: found 0");
    assertRefused(finetune("llama", "e2e", cola, "--shots", "x"), 2, "--shots: found --task e2e");
    assertRefused(
        gatun("eval", "--model", model("llama"), "--data", cola.toString(), "--labels", "a,b"),
        2,
        "--labels: found no --task");
    assertRefused(gatun("eval", "--model", model("roberta"), "--task", "mnli"), 2, "--data");
    assertRefused(
        eval("llama", "e2e", cola, "--ensemble", "lora-dropout"),
        2,
        "--ensemble: found --task e2e");
    assertRefused(
        finetune("gpt2", "cola", cola, "--method", "full", "--fresh"),
        2,
        "--fresh: found --task cola");
    assertRefused(finetune("deberta-p2c", "cola", cola, "--max-length", "4"), 1, "length 4");
  }

  @Test
  void dataThatIsNotTheTasksIsRefused() throws IOException {
    String head = "sentence\tlabel";
    assertRefused(
        finetune("deberta-p2c", "sst2", file("columns.tsv", "sentence\tscore", "good\t1")),
        1,
        "columns.tsv: line 1: found the columns sentence, score, expected sentence, label");
    assertRefused(
        finetune("deberta-p2c", "sst2", file("label.tsv", head, "good\t1", "bad\tawful")),
        1,
        "label.tsv: line 3, label: found \"awful\", expected 0 to 1, or negative, positive");
    assertRefused(finetune("deberta-p2c", "sst2", file("empty.tsv")), 1, "empty.tsv", "no row");
    assertRefused(finetune("deberta-p2c", "sst2", file("none.tsv", head)), 1, "none.tsv", "no row");
    String numbers = "sentence1\tsentence2\tscore";
    assertRefused(
        finetune("xlm-roberta", "stsb", file("nan.tsv", numbers, "a\tb\tNaN")),
        1,
        "nan.tsv: line 2, score: found \"NaN\", expected a finite number");
    assertRefused(
        finetune("xlm-roberta", "regression", file("class.csv", "text,label", "the cat,good")),
        1,
        "class.csv: line 2, label: found \"good\", expected a finite number");
    assertRefused(
        finetune("deberta-p2c", "classification", file("one.csv", "text,label", "the cat,good")),
        1,
        "one.csv: label: found the one class [good], expected two classes or more");
    assertRefused(
        finetune(
            "deberta-p2c", "classification", file("three.csv", "text,label", "a,x", "b,y", "c,z")),
        2,
        "found a head of 2 classes",
        "expected a head of 3 classes (x, y, z)");
    assertRefused(
        finetune("roberta-qa", "squad", file("tree.json", "{\"data\": [{\"paragraphs\": [{}]}]}")),
        1,
        "tree.json: data[0].paragraphs[0].context");
    assertRefused(
        finetune(
            "roberta-qa",
            "squad",
            file(
                "none.jsonl",
                "{\"id\": \"1\", \"context\": \"the cat\", \"question\": \"who\", \"answers\":"
                    + " {\"text\": [], \"answer_start\": []}}")),
        1,
        "question 1: found no answer",
        "squad_v2");
    assertRefused(
        finetune("deberta-p2c", "sst2", directory.resolve("missing.tsv")), 1, "missing.tsv");
  }
}
