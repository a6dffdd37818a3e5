package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.engine.EngineOptions;
import dev.gatun.server.ServerOptions.Limits;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What a request may take, and what happens when its client goes or does not read.
class LimitsTest {
  private static final String TEXT = "/v1/completions";
  private static final String LONG =
      "{\"prompt\":\"public class \",\"max_tokens\":1000,\"n\":8,\"ignore_eos\":true,\"seed\":1%s}";
  private static final String SHORT = "{\"prompt\":\"public class \",\"max_tokens\":2}";
  private Served served;

  @AfterEach
  void close() {
    served.close();
  }

  private void open(Limits limits) throws IOException {
    served = new Served(Served.options(limits));
  }

  private static Limits limits(int bytes, int body, int request, int write) {
    return new Limits(
        bytes, Duration.ofMillis(body), Duration.ofMillis(request), Duration.ofMillis(write), 64);
  }

  private void awaitRunning() throws InterruptedException {
    awaitTrue(() -> served.model.engine().stats().running() > 0);
  }

  private void assertCancelled(int times) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (served.model.engine().stats().cancellations() < times && System.nanoTime() < end) {
      Thread.sleep(2);
    }
    assertThat(served.model.engine().stats().cancellations()).isEqualTo(times);
    served.awaitIdle();
    assertThat(served.post(TEXT, SHORT).statusCode()).as("afterwards").isEqualTo(200);
  }

  @Test
  void whoeverGoesIsNotAnsweredAnyMore() throws Exception {
    open(Limits.DEFAULT);
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send(RawClient.post(TEXT, LONG.formatted("")));
      awaitRunning();
    }
    assertCancelled(1);
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send(RawClient.post(TEXT, LONG.formatted(",\"stream\":true")));
      assertThat(client.readUntil("data: ")).contains("200 OK");
    }
    assertCancelled(2);
    assertThat(served.get("/metrics").body())
        .contains("gatun_http_requests_total{endpoint=\"/v1/completions\",status=\"499\"} 2");
  }

  @Test
  void whoeverDoesNotReadIsLeft() throws Exception {
    open(limits(1 << 20, 5000, 60_000, 300));
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send(RawClient.post(TEXT, LONG.formatted(",\"stream\":true,\"logprobs\":20")));
      awaitRunning();
      assertCancelled(1);
    }
  }

  /// Texts go to the model some at a time, and no more of them when nobody waits.
  @Test
  void embeddingsAreGivenUpToo() throws Exception {
    AtomicInteger pieces = new AtomicInteger();
    served =
        new Served(
            Served.options(Limits.DEFAULT),
            Served.ENGINE,
            (texts, adapter, cut) -> {
              pieces.incrementAndGet();
              LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
              return new Embedder.Embeddings(texts.stream().map(t -> new float[1]).toList(), 1);
            });
    String text = "\"" + "word ".repeat(4000) + "\"";
    String body = "{\"input\":[" + String.join(",", Collections.nCopies(100, text)) + "]}";
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send(RawClient.post("/v1/embeddings", body));
      awaitTrue(() -> pieces.get() > 0);
    }
    awaitTrue(() -> {
      try {
        return served
            .get("/metrics")
            .body()
            .contains("gatun_http_requests_total{endpoint=\"/v1/embeddings\",status=\"499\"} 1");
      } catch (IOException | InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    assertThat(pieces).hasValueLessThan(100);
  }

  private static void awaitTrue(BooleanSupplier what) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!what.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(2);
    }
  }

  @Test
  void aSlowBodyOrHeadIsGivenUp() throws Exception {
    open(limits(1 << 20, 300, 60_000, 5000));
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send(RawClient.post(TEXT, "{\"prompt\":", 100));
      assertThat(client.readUntil("never")).contains(" 408 ", "request_timeout");
    }
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send("POST /v1/completions HTTP/1.1\r\nHost: local");
      assertThat(client.readUntil("never")).as("closed").isEmpty();
    }
    assertThat(served.post(TEXT, SHORT).statusCode()).isEqualTo(200);
  }

  /// A body that nobody asked for is not waited for, either.
  @Test
  void aBodyThatIsNotReadEndsTheConnection() throws Exception {
    open(limits(1000, 300, 60_000, 5000));
    for (String line : List.of("GET /health", "POST /nowhere", "DELETE /v1/models")) {
      String head = line + " HTTP/1.1\r\nHost: localhost\r\n";
      try (RawClient client = new RawClient(served.server.uri())) {
        client.send(head + "Content-Length: 5\r\n\r\nabcde" + head + "\r\n");
        assertThat(client.readUntil("}")).startsWith("HTTP/1.1 ").doesNotContain("n: close");
        assertThat(client.readUntil("HTTP/1.1 "))
            .as("a short one is thrown away")
            .contains("HTTP/1.1 ");
      }
      for (String body :
          List.of(
              "Content-Length: 100\r\n\r\nab",
              "Content-Length: 9000\r\n\r\n" + "x".repeat(9000),
              "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
              "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n")) {
        try (RawClient client = new RawClient(served.server.uri())) {
          client.send(head + body);
          assertThat(client.readUntil("never")).as(body).containsIgnoringCase("connection: close");
        }
      }
    }
  }

  @Test
  void aLargeBodyIsRefused() throws Exception {
    open(limits(10_000, 5000, 60_000, 5000));
    String body = "{\"prompt\":\"%s\"}";
    HttpResponse<String> response = served.post(TEXT, body.formatted("x".repeat(20_000)));
    assertThat(response.statusCode()).isEqualTo(413);
    assertThat(response.body()).contains("request_too_large");
    try (RawClient client = new RawClient(served.server.uri())) {
      String chunk = "3e8\r\n" + "x".repeat(1000) + "\r\n";
      client.send("POST " + TEXT + " HTTP/1.1\r\nHost: localhost\r\n");
      client.send("Transfer-Encoding: chunked\r\n\r\n" + chunk.repeat(30) + "0\r\n\r\n");
      assertThat(client.readUntil("never")).contains(" 413 ");
    }
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send("POST " + TEXT + " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n");
      client.send("Content-Length: 1000000\r\n\r\n");
      assertThat(client.readUntil("never")).contains(" 413 ").doesNotContain("100 Continue");
    }
    assertThat(served.post(TEXT, SHORT).statusCode()).isEqualTo(200);
  }

  @Test
  void aFullQueueAsksToComeBack() throws Exception {
    EngineOptions engine = Served.ENGINE.withBatch(1, 64).withQueue(1);
    served = new Served(Served.options(Limits.DEFAULT), engine, null);
    String one = LONG.replace("\"n\":8", "\"n\":1").formatted(",\"stream\":true");
    try (RawClient first = new RawClient(served.server.uri());
        RawClient second = new RawClient(served.server.uri())) {
      for (RawClient client : List.of(first, second)) {
        client.send(RawClient.post(TEXT, one));
        assertThat(client.readUntil("\r\n\r\n")).contains("200 OK");
      }
      HttpResponse<String> response = served.post(TEXT, SHORT);
      assertThat(response.statusCode()).isEqualTo(429);
      assertThat(response.headers().firstValue("Retry-After")).contains("1");
      assertThat(response.body()).contains("queue_full");
    }
    assertCancelled(2);
  }

  /// Of several prompts of one request, those that found room are given up with the others.
  @Test
  void aRequestThatFindsNoRoomForAllLeavesNothing() throws Exception {
    EngineOptions engine = Served.ENGINE.withBatch(1, 64).withQueue(2);
    served = new Served(Served.options(Limits.DEFAULT), engine, null);
    String many = "{\"prompt\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"max_tokens\":500}";
    assertThat(served.post(TEXT, many).statusCode()).isEqualTo(429);
    assertCancelled(3);
  }

  @Test
  void anAnswerThatTakesTooLongIsGivenUp() throws Exception {
    open(limits(1 << 20, 5000, 250, 5000));
    HttpResponse<String> whole = served.post(TEXT, LONG.formatted(""));
    assertThat(whole.statusCode()).isEqualTo(504);
    assertThat(whole.body()).contains("deadline_exceeded");
    HttpResponse<Stream<String>> stream = served.stream(TEXT, LONG.formatted(",\"stream\":true"));
    List<String> lines = stream.body().filter(line -> !line.isEmpty()).toList();
    assertThat(stream.statusCode()).isEqualTo(200);
    assertThat(lines.getLast()).contains("\"error\"", "deadline_exceeded");
    assertCancelled(2);
  }

  @Test
  void requestsMayComeBeforeTheAnswers() throws Exception {
    open(Limits.DEFAULT);
    try (RawClient client = new RawClient(served.server.uri())) {
      client.send(RawClient.post(TEXT, SHORT) + RawClient.post(TEXT, SHORT));
      String request = RawClient.post(TEXT, SHORT);
      client.send(request.substring(0, 20));
      assertThat(client.readUntil("total_tokens")).contains("200 OK");
      assertThat(client.readUntil("total_tokens")).contains("200 OK");
      client.send(request.substring(20));
      assertThat(client.readUntil("total_tokens")).contains("200 OK");
    }
  }

  @Test
  void whatIsNoHttpGetsAnErrorToo() throws Exception {
    open(Limits.DEFAULT);
    for (String request :
        List.of(
            "GET\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "\0\1\2\r\n\r\n")) {
      try (RawClient client = new RawClient(served.server.uri())) {
        client.send(request);
        assertThat(client.readUntil("\r\n")).as(request).startsWith("HTTP/1.1 4");
      }
    }
    assertThat(served.get("/health").statusCode()).isEqualTo(200);
  }
}
