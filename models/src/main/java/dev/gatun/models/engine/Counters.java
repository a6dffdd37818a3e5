package dev.gatun.models.engine;

import dev.gatun.models.nn.KvCache;

/// What an engine counts; written by its thread and, for refusals, by callers.
final class Counters {
  private EngineStats stats = new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  private long requests;
  private long failures;
  private long cancellations;
  private long refusals;
  private long promptTokens;
  private long cachedTokens;
  private long generatedTokens;
  private long steps;
  private long preemptions;

  synchronized EngineStats stats() {
    EngineStats at = stats;
    return new EngineStats(
        at.running(),
        at.waiting(),
        at.pages(),
        at.freePages(),
        at.prefixPages(),
        requests,
        failures,
        cancellations,
        refusals,
        promptTokens,
        cachedTokens,
        generatedTokens,
        steps,
        preemptions,
        at.loadedAdapters(),
        at.adapterBytes(),
        at.adapterLoads());
  }

  synchronized void update(
      int running, int waiting, KvCache cache, int prefixPages, AdapterStore adapters) {
    stats =
        new EngineStats(
            running,
            waiting,
            cache.capacity(),
            cache.free(),
            prefixPages,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            adapters.count(),
            adapters.bytes(),
            adapters.loads());
  }

  synchronized void prompt(int tokens, int cached) {
    promptTokens += tokens;
    cachedTokens += cached;
  }

  synchronized void passed() {
    steps++;
  }

  synchronized void generated() {
    generatedTokens++;
  }

  synchronized void preempted() {
    preemptions++;
  }

  synchronized void ended(boolean cancelled) {
    requests++;
    cancellations += cancelled ? 1 : 0;
  }

  synchronized void failed() {
    failures++;
  }

  synchronized void refused() {
    refusals++;
  }
}
