package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.server.ServerOptions.Limits;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The end of a server, with and without patience.
class ShutdownTest {
  private static final String REQUEST =
      "{\"prompt\":\"public class \",\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true}";

  private static List<String> rest(Iterator<String> lines) {
    List<String> rest = new ArrayList<>();
    lines.forEachRemaining(line -> {
      if (!line.isEmpty()) {
        rest.add(line);
      }
    });
    return rest;
  }

  @Test
  void aRunningStreamIsCompletedWhileNewRequestsAreRefused() throws Exception {
    try (Served served = new Served(Served.options(Limits.DEFAULT))) {
      HttpResponse<Stream<String>> stream =
          served.stream("/v1/completions", REQUEST.formatted(400));
      Iterator<String> lines = stream.body().iterator();
      assertThat(lines.next()).startsWith(": ");
      Thread closing = closing(served, Duration.ofSeconds(20));
      assertThat(refused(served, "/health")).isTrue();
      assertThat(refused(served, "/v1/models")).isTrue();
      assertThat(rest(lines)).hasSizeGreaterThan(100).last().isEqualTo("data: [DONE]");
      closing.join();
      assertThat(refused(served, "/health")).isTrue();
    }
  }

  /// Of texts that go to the model in two pieces, the second goes only where the server is patient.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void embeddingsAreCompletedWithPatienceAlone(boolean patient) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch closing = new CountDownLatch(1);
    Embedder slow =
        (texts, adapter, cut) -> {
          begun.countDown();
          try {
            assertThat(closing.await(10, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          return new Embedder.Embeddings(texts.stream().map(text -> new float[1]).toList(), 1);
        };
    String text = "\"" + "word ".repeat(4000) + "\"";
    try (Served served = new Served(Served.options(Limits.DEFAULT), Served.ENGINE, slow)) {
      CompletableFuture<Integer> status =
          CompletableFuture.supplyAsync(() -> {
            try {
              return served
                  .post("/v1/embeddings", "{\"input\":[" + text + "," + text + "]}")
                  .statusCode();
            } catch (IOException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
      assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
      Thread end = closing(served, Duration.ofSeconds(patient ? 20 : 0));
      assertThat(refused(served, "/v1/models")).isTrue();
      closing.countDown();
      assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(patient ? 200 : 503);
      end.join();
    }
  }

  /// Begins to close a server, and waits until it refuses what comes.
  private static Thread closing(Served served, Duration patience) throws InterruptedException {
    Thread closing =
        Thread.ofVirtual()
            .start(() -> {
              try {
                served.server.close(patience);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!refused(served, "/v1/models")) {
      assertThat(System.nanoTime()).as("still answers").isLessThan(end);
      Thread.sleep(5);
    }
    return closing;
  }

  private static boolean refused(Served served, String path) throws InterruptedException {
    try {
      return served.get(path).statusCode() == 503;
    } catch (IOException e) {
      return true; // nobody listens any more
    }
  }

  @Test
  void withoutPatienceAStreamEndsWithAnError() throws Exception {
    try (Served served = new Served(Served.options(Limits.DEFAULT))) {
      HttpResponse<Stream<String>> stream =
          served.stream("/v1/completions", REQUEST.formatted(1000));
      Iterator<String> lines = stream.body().iterator();
      assertThat(lines.next()).startsWith(": ");
      Thread closing = Thread.ofVirtual().start(served.server::close);
      assertThat(rest(lines)).last().asString().contains("\"error\"", "about to stop");
      closing.join();
      served.awaitIdle();
    }
  }

  /// The engine may be closed first; its requests then end without an answer.
  @Test
  void theEnginesEndIsAnErrorToo() throws Exception {
    Served served = new Served(Served.options(Limits.DEFAULT));
    served.model.engine().close();
    HttpResponse<String> response =
        served.post("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":3}");
    assertThat(response.statusCode()).isEqualTo(503);
    served.close();
  }
}
