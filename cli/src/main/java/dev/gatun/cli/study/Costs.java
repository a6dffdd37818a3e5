package dev.gatun.cli.study;

/// What a step of a method costs, measured with the others by turns.
///
/// @param method name of the method
/// @param seconds median time of a step
/// @param bytes most native bytes of live tensors in a step, beyond the model's
public record Costs(String method, double seconds, long bytes) {}
