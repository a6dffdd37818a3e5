package dev.gatun.bench.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// Every kind of work, on a model of random weights.
class WorkerTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @BeforeEach
  void writeModelAndRows() throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "gpt2", "vocab_size": 48, "n_positions": 16, "n_embd": 16, "n_layer": 2, "n_head": 2}
        """);
    Files.writeString(
        folder.resolve("rows.jsonl"),
        """
        {"input_ids": [1, 2, 3, 4, 5, 6]}
        {"input_ids": [7, 8, 9, 10, 11, 12]}
        """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "hiddenkey-minus", "hiddenkey"})
  void trainsAnAdapter(String dropout) throws IOException {
    List<JsonNode> answers = answers("TRAIN", dropout, 1, 0, false);
    assertThat(answers.getFirst().get("trained").asLong()).isEqualTo(2 * 2 * (64 + 32 + 80 + 80));
    assertThat(answers.get(1).get("loss").asDouble()).isBetween(3.0, 5.0);
    assertThat(answers.get(2).get("divergence").asDouble() > 0)
        .isEqualTo(dropout.equals("hiddenkey"));
  }

  @Test
  void evaluatesRowsThroughSeveralAdapters() throws IOException {
    double alone = answers("EVAL", "none", 1, 0, false).get(1).get("loss").asDouble();
    // New adapters change nothing.
    assertThat(answers("EVAL", "none", 2, 0, false).get(1).get("loss").asDouble()).isEqualTo(alone);
  }

  @Test
  void generates() throws IOException {
    List<JsonNode> answers = answers("GENERATE", "none", 0, 5, false);
    assertThat(answers.get(1).get("ids").size()).isEqualTo(5);
    assertThat(answers.get(2)).isEqualTo(answers.get(1));
  }

  @Test
  void tellsOfEachOperationWhereTheTimeWent() throws IOException {
    JsonNode profile = answers("TRAIN", "none", 1, 0, true).getLast().get("profile");
    assertThat(profile.isObject()).isTrue();
  }

  private List<JsonNode> answers(
      String task, String dropout, int adapters, int newTokens, boolean profiled)
      throws IOException {
    String settings =
        """
        {"task": "%s", "model": "%s", "fresh": true, "adapters": [], "newAdapters": %d, "rank": 2, "rows": "%s",\
         "batch": 2, "dtype": "f32", "dropout": "%s", "learningRate": 0.001, "maxGradNorm": 1,\
         "newTokens": %d, "threads": 1, "profiled": %s}
        """
            .formatted(
                task, folder, adapters, folder.resolve("rows.jsonl"), dropout, newTokens, profiled);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Worker.run(
        new BufferedReader(new StringReader(settings + "next\nnext\n")),
        new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8).lines().map(JSON::readTree).toList();
  }
}
