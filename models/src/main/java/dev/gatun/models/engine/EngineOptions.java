package dev.gatun.models.engine;

import dev.gatun.runtime.op.WeightForm;

/// The limits of an [Engine].
///
/// @param cacheBytes bytes of keys and values, of all sequences together
/// @param maxSequences sequences that run side by side at most; a text takes one, that of an
///   ensemble one for each draw
/// @param stepTokens tokens of one forward pass at most: longer prompts are run in pieces, between
///   which other sequences go on
/// @param queue requests that wait at most; more are refused
/// @param adapterBytes bytes of adapters in memory: beyond, those not in use for the longest time
///   are read again when they are next used
/// @param threads threads of libtorch; 0 for as many as there are processors
/// @param sharePrefixes whether the keys and values of prompts are kept, as long as there is room,
///   for prompts that begin alike
/// @param weights the form in which the model's linear layers are kept: [WeightForm#PACKED] takes
///   the bytes of the weights once more where it is faster, [WeightForm#STORED] reads them where
///   they lie
public record EngineOptions(
    long cacheBytes,
    int maxSequences,
    int stepTokens,
    int queue,
    long adapterBytes,
    int threads,
    boolean sharePrefixes,
    WeightForm weights) {
  /// What suits a processor: 1 GiB of keys and values, 32 sequences.
  public static final EngineOptions DEFAULT =
      new EngineOptions(1L << 30, 32, 256, 1024, 1L << 30, 0, true, WeightForm.PACKED);

  /// Checks the ranges.
  public EngineOptions {
    check("cache bytes", cacheBytes);
    check("sequences", maxSequences);
    check("step tokens", stepTokens);
    check("queue", queue);
    check("adapter bytes", adapterBytes);
    if (threads < 0) {
      throw new IllegalArgumentException("threads: found " + threads + ", expected 0 or more");
    }
  }

  private static void check(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + ": found " + value + ", expected at least 1");
    }
  }

  /// {@return these with another number of bytes of keys and values}
  ///
  /// @param value [#cacheBytes]
  public EngineOptions withCacheBytes(long value) {
    return new EngineOptions(
        value, maxSequences, stepTokens, queue, adapterBytes, threads, sharePrefixes, weights);
  }

  /// {@return these with other sizes of a batch}
  ///
  /// @param sequences [#maxSequences]
  /// @param tokens [#stepTokens]
  public EngineOptions withBatch(int sequences, int tokens) {
    return new EngineOptions(
        cacheBytes, sequences, tokens, queue, adapterBytes, threads, sharePrefixes, weights);
  }

  /// {@return these with another length of the queue}
  ///
  /// @param value [#queue]
  public EngineOptions withQueue(int value) {
    return new EngineOptions(
        cacheBytes, maxSequences, stepTokens, value, adapterBytes, threads, sharePrefixes, weights);
  }

  /// {@return these with another number of bytes of adapters}
  ///
  /// @param value [#adapterBytes]
  public EngineOptions withAdapterBytes(long value) {
    return new EngineOptions(
        cacheBytes, maxSequences, stepTokens, queue, value, threads, sharePrefixes, weights);
  }

  /// {@return these with another number of threads}
  ///
  /// @param value [#threads]
  public EngineOptions withThreads(int value) {
    return new EngineOptions(
        cacheBytes, maxSequences, stepTokens, queue, adapterBytes, value, sharePrefixes, weights);
  }

  /// {@return these with prefixes shared or not}
  ///
  /// @param value [#sharePrefixes]
  public EngineOptions withSharedPrefixes(boolean value) {
    return new EngineOptions(
        cacheBytes, maxSequences, stepTokens, queue, adapterBytes, threads, value, weights);
  }

  /// {@return these with weights in another form}
  ///
  /// @param value [#weights]
  public EngineOptions withWeights(WeightForm value) {
    return new EngineOptions(
        cacheBytes, maxSequences, stepTokens, queue, adapterBytes, threads, sharePrefixes, value);
  }
}
