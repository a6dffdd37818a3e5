package dev.gatun.models.engine;

/// What a request took.
///
/// @param promptTokens ids of its prompt
/// @param cachedTokens those of them whose keys and values another prompt had left
/// @param completionTokens ids that were chosen, of all choices, stop ids included
public record Usage(int promptTokens, int cachedTokens, int completionTokens) {}
