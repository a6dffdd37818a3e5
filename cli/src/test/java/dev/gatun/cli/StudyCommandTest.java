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
        "seeds: 3 | seeds: [1 | recipe: found"
      })
  void whatIsWrongIsSaidBeforeAnyTraining(
      String before, String after, String message, @TempDir Path folder) throws IOException {
    Path out = folder.resolve("out");
    Ended ended = study(recipe(folder, before, after), out);
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err().strip().lines()).hasSize(1);
    assertThat(ended.err()).contains(message);
    assertThat(out.resolve("runs.jsonl")).doesNotExist();
  }
}
