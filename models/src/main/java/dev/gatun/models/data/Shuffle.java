package dev.gatun.models.data;

/// A random order as a function of seed and stream, the same on every machine and JDK: SplitMix64
/// (Steele, Lea, Flood 2014) under a Fisher-Yates shuffle.
final class Shuffle {
  /// The stream that chooses held-out data; epochs count from 0.
  static final long SPLIT = -1;

  private static final long GAMMA = 0x9e3779b97f4a7c15L;

  private long state;

  Shuffle(long seed, long stream) {
    state = mix(mix(seed) + (stream + 1) * GAMMA);
  }

  /// Shuffles in place.
  void apply(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = below(i + 1);
      int swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }

  /// Returns a number from 0 to `bound - 1`: the high half of a product, whose bias is below 2^-32.
  private int below(int bound) {
    state += GAMMA;
    return (int) Math.unsignedMultiplyHigh(mix(state), bound);
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
