package dev.gatun.cli;

import java.util.Locale;

/// What `finetune` trains.
enum Method {
  /// A low-rank adapter.
  LORA,
  /// A low-rank adapter with lengths of its own.
  DORA,
  /// A low-rank adapter that moves its ranks between layers.
  ADALORA,
  /// The biases.
  BITFIT,
  /// Bottlenecks after attention and feed-forward blocks.
  HOULSBY,
  /// Bottlenecks after feed-forward blocks.
  PFEIFFER,
  /// All weights.
  FULL;

  boolean isLora() {
    return this == LORA || this == DORA || this == ADALORA;
  }

  boolean isBottleneck() {
    return this == HOULSBY || this == PFEIFFER;
  }

  /// Returns the name as it is given.
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Returns the option as it is given.
  String given() {
    return "--method " + text();
  }
}
