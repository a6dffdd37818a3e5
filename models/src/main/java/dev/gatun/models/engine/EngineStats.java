package dev.gatun.models.engine;

/// Where an [Engine] stands, and what it has done since it was opened.
///
/// @param running sequences that run, of an ensemble's text one for each draw
/// @param waiting requests that wait
/// @param pages pages of the cache
/// @param freePages pages without a holder
/// @param prefixPages pages kept for prompts that begin alike
/// @param requests requests that ended
/// @param failures requests that failed
/// @param cancellations requests that were cancelled
/// @param refusals requests that found the queue full
/// @param promptTokens ids of prompts that were run or found
/// @param cachedTokens those of them that were found
/// @param generatedTokens ids that were chosen
/// @param steps forward passes
/// @param preemptions texts that had to give their pages away and were run again
/// @param loadedAdapters adapters in memory, and draws of ensembles
/// @param adapterBytes their bytes
/// @param adapterLoads how often one was read
public record EngineStats(
    int running,
    int waiting,
    int pages,
    int freePages,
    int prefixPages,
    long requests,
    long failures,
    long cancellations,
    long refusals,
    long promptTokens,
    long cachedTokens,
    long generatedTokens,
    long steps,
    long preemptions,
    int loadedAdapters,
    long adapterBytes,
    long adapterLoads) {}
