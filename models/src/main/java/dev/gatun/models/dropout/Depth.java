package dev.gatun.models.dropout;

/// How a rate changes over the masked layers, of which there are n, numbered from 0.
///
/// Source: DropKey, arXiv:2208.02646, found the falling one best for vision transformers; it gives
/// no formula, so the straight line is ours.
public enum Depth {
  /// p everywhere.
  CONSTANT,
  /// p (n - i) / n: p first, p / n last.
  FALLING,
  /// p (i + 1) / n: p / n first, p last.
  RISING;

  double rate(double p, int index, int count) {
    return switch (this) {
      case CONSTANT -> p;
      case FALLING -> p * (count - index) / count;
      case RISING -> p * (index + 1) / count;
    };
  }
}
