package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// `gatun study`: what it writes, that it goes on where it was stopped, what it refuses.
class StudyCommandTest {
  private static final Path PARITY =
      Path.of("../models/src/test/resources/parity/llama").toAbsolutePath().normalize();

  private static Path recipe(Path folder, String... changes) throws IOException {
    String text =
        """
        name: Tiny study
        model: %s
        train: %s
        held-out: %s
        train-rows: 8
        held-out-rows: 4
        max-length: 32
        steps: 4
        batch: 2
        lr: 1e-2
        eval-every: 2
        rank: 2
        seeds: 3
        methods:
          - name: LoRA
            dropout: none
            reported: {accuracy: 84.48}
          - name: Hidden & Key
            dropout: hiddenkey:p=0.1
          - name: LoRA Dropout
            dropout: lora-dropout:p=0.2,n=2
        """
            .formatted(
                PARITY, PARITY.resolve("train/train.jsonl"), PARITY.resolve("train/train.jsonl"));
    for (int i = 0; i < changes.length; i += 2) {
      assertThat(text).contains(changes[i]);
      text = text.replace(changes[i], changes[i + 1]);
    }
    Path file = folder.resolve("tiny.yaml");
    Files.writeString(file, text);
    return file;
  }

  private static Ended study(Path recipe, Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "study", recipe.toString(), "--threads", "1", "--out", out.toString(), "--json"));
    arguments.addAll(List.of(more));
    return Ended.gatun(arguments.toArray(String[]::new));
  }

  @Test
  void aStudyGoesOnWhereItWasKilled(@TempDir Path folder) throws Exception {
    Path recipe = recipe(folder);
    Path whole = folder.resolve("whole");
    Ended first = study(recipe, whole, "--side-by-side", "2");
    assertThat(first.status()).as(first.err()).isZero();
    JsonNode json = first.json();
    assertThat(json.get("methods").size()).isEqualTo(3);
    assertThat(json.get("side_by_side_speedup").asDouble()).isPositive();
    assertThat(json.get("methods").get(0).get("p").isNull()).isTrue();
    assertThat(json.get("methods").get(2).get("ensemble_loss").get("mean").asDouble()).isPositive();
    List<String> runs = Files.readAllLines(whole.resolve("runs.jsonl"));
    assertThat(runs).hasSize(9);
    assertThat(Files.readAllLines(whole.resolve("results.csv"))).hasSize(10);
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(whole.resolve("report.html").toFile());
    assertThat(Files.readString(whole.resolve("report.html")))
        .contains("Hidden &amp; Key", "paper: accuracy", "84.48");

    // killed in the fifth run's line: four are kept, the rest is made again
    Path killed = folder.resolve("killed");
    Files.createDirectories(killed);
    for (String file : new String[] {"recipe.yaml", "costs.json"}) {
      Files.copy(whole.resolve(file), killed.resolve(file));
    }
    String kept = String.join("\n", runs.subList(0, 4)) + "\n" + runs.get(4).substring(0, 30);
    Files.writeString(killed.resolve("runs.jsonl"), kept);
    Ended second = study(recipe, killed, "--side-by-side", "4");
    assertThat(second.status()).as(second.err()).isZero();
    assertThat(second.err()).contains("4 of 9 runs are done already");
    assertThat(Files.readAllLines(killed.resolve("runs.jsonl"))).hasSize(9);
    for (int i = 0; i < 3; i++) {
      assertThat(mean(second, i)).isCloseTo(mean(first, i), within(1e-4));
    }
    Ended third = study(recipe, killed);
    assertThat(third.err()).contains("9 of 9 runs are done already");
    assertThat(mean(third, 1)).isEqualTo(mean(second, 1));

    Ended other = study(recipe(folder, "steps: 4", "steps: 5"), killed);
    assertThat(other.status()).isEqualTo(1);
    assertThat(other.err()).contains("found another recipe than this study's");
  }

  private static final String ADAPTERS =
      """
      name: What to train
      model: %s
      train: %s
      held-out: %s
      train-rows: 8
      held-out-rows: 4
      max-length: 32
      epochs: 1
      batch: 2
      accumulate: 2
      warmup: 0.5
      lr: 1e-2
      rank: 2
      seeds: 2
      methods:
        - name: LoRA
        - {name: HiddenKey, dropout: "hiddenkey:p=0.1"}
        - {name: narrow, targets: [c_attn], alpha: 8, lr: 5e-3, sparsity: [0.1, 0.5]}
        - {name: LoRA+, method: lora+, lora-plus-ratio: 4}
        - {name: DoRA, method: dora, dropout: "lora-dropout:p=0.2,n=2"}
        - {name: AdaLoRA, method: adalora, rank: 3, target-rank: 2, rank-steps: [0, 1, 1]}
        - {name: BitFit, method: bitfit}
        - {name: Houlsby, method: houlsby, bottleneck: 3}
        - {name: Pfeiffer, method: pfeiffer, bottleneck: 3}
        - {name: all, method: full, lr: 1e-3, reported: {accuracy: 86.6}}
      """;

  /// What changes the model for all rows is trained alone, on weights that nobody else sees.
  @Test
  void methodsThatShareNoPassAreComparedToo(@TempDir Path folder) throws Exception {
    Path gpt2 = PARITY.resolveSibling("gpt2");
    Path rows = gpt2.resolve("train/train.jsonl");
    Path recipe = folder.resolve("adapters.yaml");
    Files.writeString(recipe, ADAPTERS.formatted(gpt2, rows, rows));
    Ended together = study(recipe, folder.resolve("together"));
    assertThat(together.status()).as(together.err()).isZero();
    JsonNode methods = together.json().get("methods");
    assertThat(methods.size()).isEqualTo(10);
    assertThat(together.json().get("side_by_side_speedup").asDouble()).isPositive();
    assertThat(trains(methods))
        .containsExactly(
            "lora, rank 2, alpha 4, all linear",
            "lora, rank 2, alpha 4, all linear",
            "lora, rank 2, alpha 8, c_attn, sparsity 0.075",
            "lora+, rank 2, alpha 4, all linear, ratio 4",
            "dora, rank 2, alpha 4, all linear",
            "adalora, rank 3 to 2, alpha 6, all linear",
            "bitfit",
            "houlsby, width 3",
            "pfeiffer, width 3",
            "full");
    long lora = methods.get(0).get("parameters").asLong();
    assertThat(methods.get(1).get("parameters").asLong()).isEqualTo(lora);
    assertThat(methods.get(4).get("parameters").asLong()).isGreaterThan(lora);
    assertThat(methods.get(7).get("parameters").asLong())
        .isEqualTo(2 * methods.get(8).get("parameters").asLong());
    for (int i = 1; i < 10; i++) {
      assertThat(mean(together, i)).as("method %d", i).isFinite().isNotEqualTo(mean(together, 0));
    }
    Path out = folder.resolve("together");
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(out.resolve("report.html").toFile());
    assertThat(Files.readString(out.resolve("report.html")))
        .contains("adalora, rank 3 to 2", "trained numbers", "86.60");
    List<String> csv = Files.readAllLines(out.resolve("results.csv"));
    assertThat(csv).hasSize(21);
    assertThat(csv.getFirst()).startsWith("method,trains,dropout,seed,parameters,");

    // one by one, and without those that are alone: the same runs
    Ended apart = study(recipe, folder.resolve("apart"), "--side-by-side", "1");
    for (int i = 0; i < 10; i++) {
      assertThat(mean(apart, i)).as("method %d", i).isCloseTo(mean(together, i), within(1e-4));
    }
    String few =
        Files.readString(recipe).replaceAll("(?m)^.*(bitfit|houlsby|pfeiffer|full).*$", "");
    Path sharing = Files.writeString(folder.resolve("few.yaml"), few);
    Ended without = study(sharing, folder.resolve("few"), "--side-by-side", "10");
    for (int i = 0; i < 6; i++) {
      assertThat(mean(without, i)).isEqualTo(mean(together, i));
    }

    Ended half = study(recipe, folder.resolve("half"), "--dtype", "bf16");
    assertThat(half.status()).isEqualTo(2);
    assertThat(half.err()).contains("--dtype: found bf16, expected f32: all trains all weights");
  }

  private static List<String> trains(JsonNode methods) {
    return methods.valueStream().map(method -> method.get("trains").asString()).toList();
  }

  private static double mean(Ended ended, int method) {
    return ended.json().get("methods").get(method).get("eval_loss").get("mean").asDouble();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "steps: 4 | steps: 0 | steps: found 0, expected an integer from 1 up",
        "steps: 4 | stops: 4 | steps: found none, expected a value",
        "rank: 2 | ranks: 2 | ranks: found this key, expected one that recipes have",
        "lr: 1e-2 | lr: fast | lr: found fast, expected a number from 0 up",
        "hiddenkey:p=0.1 | hidden:p=0.1 | methods: Hidden & Key: found 'hidden:p=0.1', expected a",
        "Hidden & Key | LoRA | methods: found 'LoRA' twice, expected names that differ",
        "train-rows: 8 | train-rows: 800 | rows: found 40",
        "max-length: 32 | max-length: 4000 | max-length: found 4000, expected at most",
        "seeds: 3 | seeds: [1 | recipe: found",
        "dropout: none | method: prefix | methods: LoRA: method: found prefix, expected lora, lora+",
        "dropout: none | method: bitfit | methods: LoRA: bitfit: found a llama without biases",
        "dropout: none | lora-plus-ratio: 4 | LoRA: lora-plus-ratio: found this key, expected one that lora has",
        "dropout: lora | method: full~dropout: lora | LoRA Dropout: found masks of adapters beside full",
        "dropout: none | method: adalora | methods: LoRA: target-rank: found 8, expected at most the rank, 2",
        "dropout: none | method: adalora~target-rank: 1~rank-steps: [3, 1, 1] | tinit",
        "dropout: none | sparsity: [1, 2] | methods: LoRA: sparsity: found [1.0, 2.0], expected a weight",
        "dropout: none | method: lora+~lora-plus-ratio: 0 | LoRA: lora-plus-ratio, sparsity: found 0.0",
        "steps: 4 | epochs: 1~steps: 4 | epochs: found this key beside steps, expected one of the two",
        "dropout: none | rates: [0.1] | methods: LoRA: rates: found no masks, expected a dropout",
        "dropout: hiddenkey:p=0.1 | dropout: hiddenkey~rates: [1.5] | rates: found 1.5, expected rates below 1",
        "steps: 4 | steps: 4~task: glue | task: found glue, expected cola, sst2",
        "steps: 4 | steps: 4~task: rte | task rte: found no tokenizer.json, expected one",
        "steps: 4 | steps: 4~metric: accuracy | metric: found accuracy, expected a task beside it",
        "steps: 4 | steps: 4~held-out-task: rte | held-out-task: found rte, expected a task beside it",
        "steps: 4 | steps: 4~label-smoothing: 0.1 | label-smoothing: found 0.1, expected 0, or with a task",
        "steps: 4 | steps: 4~task: e2e~decoding: {beam: 3} | decoding: beam: found this key, expected beams",
        "steps: 4 | steps: 4~decoding: {beams: 3} | decoding: found this key without a task, expected one of e2e"
      })
  void whatIsWrongIsSaidBeforeAnyTraining(
      String before, String after, String message, @TempDir Path folder) throws IOException {
    Path out = folder.resolve("out");
    String indent = before.startsWith("dropout") ? "\n    " : "\n";
    Ended ended = study(recipe(folder, before, after.replace("~", indent)), out);
    assertThat(ended.status()).isBetween(1, 2);
    assertThat(ended.err().strip().lines()).hasSize(1);
    assertThat(ended.err()).contains(message);
    assertThat(out.resolve("runs.jsonl")).doesNotExist();
  }
}
