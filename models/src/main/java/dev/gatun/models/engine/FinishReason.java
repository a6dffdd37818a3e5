package dev.gatun.models.engine;

/// Why a choice ended.
public enum FinishReason {
  /// A stop id, a stop text, or the end of what a constraint allows.
  STOP,
  /// As many tokens as were asked for, or as the model has positions or the cache room for.
  LENGTH,
  /// The caller gave it up, or the engine was closed.
  CANCELLED
}
