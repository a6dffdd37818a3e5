package dev.gatun.server;

import dev.gatun.models.engine.Engine;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.engine.Usage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The generations of one request, a prompt each. Closing it gives up what has not ended.
final class RunningTexts implements AutoCloseable {
  private static final long POLL_MILLIS = 50;
  private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Exchange exchange;
  private final Metrics metrics;
  private final BooleanSupplier stopping;
  private final List<Generation> generations = new ArrayList<>();
  private final Map<Integer, Long> lastTokens = new HashMap<>();
  private long lastEvent = System.nanoTime();
  private int promptTokens;
  private int cachedTokens;
  private int completionTokens;

  /// @param stopping whether the server can wait no longer
  RunningTexts(Exchange exchange, Metrics metrics, BooleanSupplier stopping) {
    this.exchange = exchange;
    this.metrics = metrics;
    this.stopping = stopping;
  }

  void submit(Engine engine, GenerationRequest request) {
    generations.add(engine.submit(request));
  }

  List<Generation> generations() {
    return List.copyOf(generations);
  }

  /// Waits for a generation's next event.
  ///
  /// @param stream what is told that the server is still there, or null
  /// @throws ClientGoneException if nobody waits for it any more
  /// @throws ApiException if it takes too long or the server stops
  GenerationEvent next(Generation generation, @Nullable EventStream stream) {
    while (true) {
      exchange.checkAwaited(stopping);
      long now = System.nanoTime();
      if (stream != null && now - lastEvent > PING_NANOS) {
        stream.ping();
        lastEvent = now;
      }
      GenerationEvent event = poll(generation);
      if (event != null) {
        lastEvent = System.nanoTime();
        measure(event);
        return event;
      }
    }
  }

  private static @Nullable GenerationEvent poll(Generation generation) {
    try {
      return generation.poll(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ApiException.stopping();
    }
  }

  private void measure(GenerationEvent event) {
    switch (event) {
      case GenerationEvent.Text text when !text.tokens().isEmpty() && generations.size() == 1 -> {
        // texts of several prompts are taken one after the other, not as they come
        if (lastTokens.isEmpty()) {
          metrics.firstToken((lastEvent - exchange.began()) / 1e9);
        }
        Long last = lastTokens.put(text.choice(), lastEvent);
        if (last != null) {
          metrics.token((lastEvent - last) / 1e9 / text.tokens().size());
        }
      }
      case GenerationEvent.Ended ended -> {
        promptTokens += ended.usage().promptTokens();
        cachedTokens += ended.usage().cachedTokens();
        completionTokens += ended.usage().completionTokens();
      }
      default -> {}
    }
  }

  /// Returns what those that have ended took.
  Usage usage() {
    return new Usage(promptTokens, cachedTokens, completionTokens);
  }

  @Override
  public void close() {
    generations.forEach(Generation::close);
  }
}
