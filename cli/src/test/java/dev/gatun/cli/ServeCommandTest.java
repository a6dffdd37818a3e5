package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `gatun serve`: it says where it serves, serves there, and ends well when it is told to.
class ServeCommandTest {
  private static final String MODEL = "../demo/model";
  private static final Path PARITY = Path.of("../models/src/test/resources/parity/roberta");

  @TempDir private static Path temp;

  @FunctionalInterface
  private interface Use {
    void of(JsonNode said, URI url) throws IOException;
  }

  /// Serves while it is used, then tells it to end.
  private static void serve(Use use, String... options) throws Exception {
    List<String> all =
        new ArrayList<>(
            List.of("serve", "--port", "0", "--api-key", "k", "--threads", "1", "--json"));
    all.addAll(List.of(options));
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      FutureTask<Integer> run = new FutureTask<>(() -> Main.run(all.toArray(String[]::new)));
      Thread thread = Thread.ofPlatform().start(run);
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (!out.toString(StandardCharsets.UTF_8).endsWith("}\n") && thread.isAlive()) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.sleep(10);
      }
      JsonNode json = JsonMapper.builder().build().readTree(out.toString(StandardCharsets.UTF_8));
      use.of(json, URI.create(json.get("url").stringValue()));
      thread.interrupt();
      assertThat(run.get(10, TimeUnit.SECONDS)).isZero();
    } finally {
      System.setOut(before);
    }
  }

  @Test
  void servesUntilItIsToldToEnd() throws Exception {
    serve(
        (said, url) -> {
          assertThat(said.get("model").stringValue()).isEqualTo("mine");
          assertThat(get(url.resolve("/health"), "")).contains("ok");
          assertThat(get(url.resolve("/v1/models"), "Bearer k")).contains("\"mine\"");
        },
        "--model",
        MODEL,
        "--name",
        "mine");
  }

  private static Path encoder() throws IOException {
    Path target = temp.resolve("encoder");
    if (!Files.exists(target)) {
      Files.createDirectory(target);
      for (String file : List.of("config.json", "model.safetensors")) {
        Files.copy(PARITY.resolve(file), target.resolve(file));
      }
      Files.copy(
          Path.of("src/test/resources/tasks/tokenizer.json"), target.resolve("tokenizer.json"));
    }
    return target;
  }

  @Test
  void servesEncodersWithTheirAdapters() throws Exception {
    serve(
        (said, url) -> {
          assertThat(said.get("model").stringValue()).isEqualTo("encoder");
          assertThat(said.get("adapters").toString()).isEqualTo("[\"mine\"]");
          assertThat(post(url.resolve("/classify"), "{\"model\":\"mine\",\"input\":\"the cat\"}"))
              .contains("\"LABEL_");
          assertThat(post(url.resolve("/v1/embeddings"), "{\"input\":\"the cat\"}"))
              .contains("\"embedding\":[");
        },
        "--model",
        encoder().toString(),
        "--adapter",
        "mine=" + PARITY.resolve("adapters/all-linear"),
        "--ensemble",
        "lora-dropout:p=0.3,n=4",
        "--average",
        "probabilities");
  }

  private static String post(URI uri, String body) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    connection.setRequestProperty("Authorization", "Bearer k");
    connection.setDoOutput(true);
    connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
    try (InputStream in = connection.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } finally {
      connection.disconnect();
    }
  }

  private static String get(URI uri, String authorization) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    connection.setRequestProperty("Authorization", authorization);
    try (InputStream in = connection.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } finally {
      connection.disconnect();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2, --port, 70000",
    "2, --timeout, 0",
    "2, --queue, 0",
    "2, --adapter, nothing",
    "2, --adapter, model=nowhere",
    "1, --adapter, a=nowhere",
    "1, --adapters, nowhere",
    "1, --host, 192.0.2.1",
    "2, --ensemble, 'lora-dropout:p=0.3,n=4'",
  })
  void whatCannotBeIsRefusedInOneLine(int status, String option, String value) {
    Ended ended = Ended.gatun("serve", "--model", MODEL, "--threads", "1", option, value);
    assertThat(ended.status()).as(ended.err()).isEqualTo(status);
    assertThat(ended.err()).startsWith("gatun: ");
    assertThat(ended.out()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "2, --cache-bytes, 1000000",
    "2, --max-sequences, 3",
    "2, --queue, 0",
    "2, --ensemble, hiddenkey",
    "1, --adapter, a=nowhere",
  })
  void whatAnEncoderCannotIsRefusedInOneLine(int status, String option, String value)
      throws IOException {
    Ended ended =
        Ended.gatun(
            "serve",
            "--model",
            encoder().toString(),
            "--threads",
            "1",
            "--port",
            "0",
            option,
            value);
    assertThat(ended.status()).as(ended.err()).isEqualTo(status);
    assertThat(ended.err()).startsWith("gatun: ");
    assertThat(ended.out()).isEmpty();
  }
}
