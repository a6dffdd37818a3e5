package dev.gatun.server;

import dev.gatun.models.engine.EngineStats;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// What `/metrics` tells, in Prometheus' text format 0.0.4. Thread-safe.
final class Metrics {
  private record Answered(String endpoint, int status) {}

  private final Map<Answered, LongAdder> answered =
      new ConcurrentSkipListMap<>(
          Comparator.comparing(Answered::endpoint).thenComparingInt(Answered::status));
  private final Map<String, LongAdder> models = new ConcurrentHashMap<>();
  private final LongAdder inputTokens = new LongAdder();
  private final Histogram firstToken =
      new Histogram(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60);
  private final Histogram token = new Histogram(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1);
  private final Histogram whole =
      new Histogram(.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600);

  /// Counts a request that was answered.
  ///
  /// @param endpoint the route, not the path: there are but a few
  /// @param status the answer's status, or 499 where the client was gone before
  void answered(String endpoint, int status) {
    answered.computeIfAbsent(new Answered(endpoint, status), key -> new LongAdder()).increment();
  }

  /// Counts a request to a model.
  ///
  /// @param name the model's name, or an adapter's
  void asked(String name) {
    models.computeIfAbsent(name, key -> new LongAdder()).increment();
  }

  /// Forgets an adapter that was unloaded.
  void forget(String name) {
    models.remove(name);
  }

  /// Takes the time from a request to its first token.
  void firstToken(double seconds) {
    firstToken.add(seconds);
  }

  /// Takes the time from one token to the next.
  void token(double seconds) {
    token.add(seconds);
  }

  /// Takes the time of a whole request to a model.
  void whole(double seconds) {
    whole.add(seconds);
  }

  /// Counts the tokens of texts that were embedded or classified.
  void read(int tokens) {
    inputTokens.add(tokens);
  }

  /// Returns all of it.
  ///
  /// @param engine where the engine stands, or null if there is none
  String text(@Nullable EngineStats engine) {
    StringBuilder out = new StringBuilder();
    if (engine != null) {
      tell(out, engine);
    }
    counter(out, "input_tokens", "Tokens of texts embedded or classified.", inputTokens.sum());
    head(out, "http_requests_total", "counter", "Requests by route and status.");
    answered.forEach((key, count) ->
        out.append(
            "gatun_http_requests_total{endpoint=\"%s\",status=\"%d\"} %d\n"
                .formatted(key.endpoint, key.status, count.sum())));
    head(out, "model_requests_total", "counter", "Requests by model or adapter.");
    models.forEach((name, count) ->
        out.append(
            "gatun_model_requests_total{model=\"%s\"} %d\n".formatted(label(name), count.sum())));
    histogram(out, "request_seconds", "Whole requests to a model.", whole);
    return out.toString();
  }

  private void tell(StringBuilder out, EngineStats engine) {
    gauge(out, "running_sequences", "Sequences that run.", engine.running());
    gauge(out, "waiting_requests", "Requests that wait.", engine.waiting());
    gauge(out, "cache_pages", "Pages of keys and values.", engine.pages());
    gauge(out, "cache_free_pages", "Pages without a holder.", engine.freePages());
    gauge(out, "cache_prefix_pages", "Pages kept for prompts alike.", engine.prefixPages());
    gauge(out, "adapters_in_memory", "Adapters in memory.", engine.loadedAdapters());
    gauge(out, "adapter_bytes", "Their bytes.", engine.adapterBytes());
    counter(out, "generations", "Requests of the engine that ended.", engine.requests());
    counter(out, "failures", "Requests of the engine that failed.", engine.failures());
    counter(out, "cancellations", "Requests that were given up.", engine.cancellations());
    counter(out, "refusals", "Requests that found the queue full.", engine.refusals());
    counter(out, "prompt_tokens", "Tokens of prompts.", engine.promptTokens());
    counter(out, "cached_tokens", "Those found in the cache.", engine.cachedTokens());
    counter(out, "generated_tokens", "Tokens that were chosen.", engine.generatedTokens());
    counter(out, "steps", "Forward passes.", engine.steps());
    counter(out, "preemptions", "Sequences that gave way.", engine.preemptions());
    counter(out, "adapter_loads", "Reads of adapters.", engine.adapterLoads());
    histogram(out, "time_to_first_token_seconds", "From request to first token.", firstToken);
    histogram(out, "time_per_token_seconds", "From one token to the next.", token);
  }

  private static String label(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  private static void head(StringBuilder out, String name, String type, String help) {
    out.append("# HELP gatun_%s %s\n# TYPE gatun_%s %s\n".formatted(name, help, name, type));
  }

  private static void gauge(StringBuilder out, String name, String help, long value) {
    head(out, name, "gauge", help);
    out.append("gatun_%s %d\n".formatted(name, value));
  }

  private static void counter(StringBuilder out, String name, String help, long value) {
    head(out, name + "_total", "counter", help);
    out.append("gatun_%s_total %d\n".formatted(name, value));
  }

  private static void histogram(StringBuilder out, String name, String help, Histogram values) {
    head(out, name, "histogram", help);
    values.write(out, "gatun_" + name);
  }
}
