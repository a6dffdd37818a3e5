package dev.gatun.models.nn;

import dev.gatun.runtime.random.Philox;

/// Random values that the matrices of a new adapter start from: functions of a seed and the
/// matrix's number. Not thread-safe.
public final class InitialValues {
  private static final int TRUNCATION = 2;

  private final long seed;
  private int number;

  /// Starts with the first matrix.
  ///
  /// @param seed of all matrices
  public InitialValues(long seed) {
    this.seed = seed;
  }

  /// {@return the next matrix, uniform in ±bound}
  ///
  /// @param size its number of elements
  /// @param bound largest value
  public float[] uniform(long size, double bound) {
    return values(
        size,
        (index, words) -> {
          block(index, 0, words);
          return bound * (2 * Philox.uniform(words[0], words[1]) - 1);
        });
  }

  /// {@return the next matrix, normal around 0}
  ///
  /// @param size its number of elements
  /// @param deviation standard deviation
  public float[] normal(long size, double deviation) {
    return values(size, (index, words) -> deviation * standard(index, 0, words));
  }

  /// {@return the next matrix, normal around 0, each value drawn again until it is within two
  /// standard deviations}
  ///
  /// @param size its number of elements
  /// @param deviation standard deviation of the distribution that is cut
  public float[] truncatedNormal(long size, double deviation) {
    return values(
        size,
        (index, words) -> {
          double value = standard(index, 0, words);
          for (int again = 1; Math.abs(value) > TRUNCATION; again++) {
            value = standard(index, again, words);
          }
          return deviation * value;
        });
  }

  /// One element's value.
  @FunctionalInterface
  private interface Draw {
    double of(int index, int[] words);
  }

  private float[] values(long size, Draw draw) {
    float[] values = new float[Math.toIntExact(size)];
    int[] words = new int[4];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) draw.of(i, words);
    }
    number++;
    return values;
  }

  private void block(int index, int attempt, int[] words) {
    Philox.block(seed, index, number, attempt, 1, words, 0);
  }

  private double standard(int index, int attempt, int[] words) {
    block(index, attempt, words);
    double radius = Math.sqrt(-2 * Math.log(1 - Philox.uniform(words[0], words[1])));
    return radius * Math.cos(2 * Math.PI * Philox.uniform(words[2], words[3]));
  }
}
