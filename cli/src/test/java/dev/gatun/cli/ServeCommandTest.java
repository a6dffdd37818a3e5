package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `gatun serve`: it says where it serves, serves there, and ends well when it is told to.
class ServeCommandTest {
  private static final String MODEL = "../demo/model";

  @Test
  void servesUntilItIsToldToEnd() throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      FutureTask<Integer> run =
          new FutureTask<>(() ->
              Main.run(
                  "serve",
                  "--model",
                  MODEL,
                  "--name",
                  "mine",
                  "--port",
                  "0",
                  "--api-key",
                  "k",
                  "--threads",
                  "1",
                  "--json"));
      Thread thread = Thread.ofPlatform().start(run);
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (!out.toString(StandardCharsets.UTF_8).endsWith("}\n") && thread.isAlive()) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.sleep(10);
      }
      JsonNode json = JsonMapper.builder().build().readTree(out.toString(StandardCharsets.UTF_8));
      assertThat(json.get("model").stringValue()).isEqualTo("mine");
      URI url = URI.create(json.get("url").stringValue());
      assertThat(get(url.resolve("/health"), "")).contains("ok");
      assertThat(get(url.resolve("/v1/models"), "Bearer k")).contains("\"mine\"");
      thread.interrupt();
      assertThat(run.get(10, TimeUnit.SECONDS)).isZero();
    } finally {
      System.setOut(before);
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
  })
  void whatCannotBeIsRefusedInOneLine(int status, String option, String value) {
    Ended ended = Ended.gatun("serve", "--model", MODEL, "--threads", "1", option, value);
    assertThat(ended.status()).as(ended.err()).isEqualTo(status);
    assertThat(ended.err()).startsWith("gatun: ");
    assertThat(ended.out()).isEmpty();
  }
}
