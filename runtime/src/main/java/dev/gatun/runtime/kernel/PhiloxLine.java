package dev.gatun.runtime.kernel;

import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// [dev.gatun.runtime.random.Philox] for consecutive counters, a vector of them at a time. Words
/// are 64-bit lanes, for the products.
public final class PhiloxLine {
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
  private static final int COUNT = LONGS.length();
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final long WEYL_0 = 0x9E3779B9L;
  private static final long WEYL_1 = 0xBB67AE85L;
  private static final long LOW = 0xFFFFFFFFL;
  private static final int ROUNDS = 10;
  private static final LongVector LANES = LongVector.zero(LONGS).addIndex(1);

  private PhiloxLine() {}

  /// Writes a value per word: one for words below a threshold, another for the rest.
  ///
  /// @param key the key
  /// @param c0 first word of the first counter; it counts up by 1
  /// @param c1 second word of every counter
  /// @param c2 third word
  /// @param c3 fourth word
  /// @param threshold of the words, unsigned
  /// @param below value of words below it
  /// @param other value of other words
  /// @param target receives the values, 4 for each counter
  /// @param at index of the first
  /// @param length number of values
  public static void values(
      long key,
      int c0,
      int c1,
      int c2,
      int c3,
      long threshold,
      float below,
      float other,
      float[] target,
      int at,
      int length) {
    for (int i = 0; i < length; i += 4 * COUNT) {
      long low = below(key, (c0 & LOW) + i / 4, c1 & LOW, c2 & LOW, c3 & LOW, threshold);
      int end = Math.min(4 * COUNT, length - i);
      if (end == 4 * COUNT) {
        put(low, below, other, target, at + i);
        put(low >>> Lanes.COUNT, below, other, target, at + i + Lanes.COUNT);
      } else {
        for (int j = 0; j < end; j++) {
          target[at + i + j] = (low >>> j & 1) != 0 ? below : other;
        }
      }
    }
  }

  /// Writes a vector of floats by the lowest bits.
  private static void put(long bits, float below, float other, float[] target, int at) {
    VectorMask<Float> mask = VectorMask.fromLong(Lanes.FLOATS, bits);
    Lanes.of(other).blend(below, mask).intoArray(target, at);
  }

  /// Returns a bit for each word of the counters, in their order: set where it is below the
  /// threshold.
  private static long below(long key, long c0, long c1, long c2, long c3, long threshold) {
    LongVector x0 = LANES.add(c0);
    LongVector x1 = LongVector.broadcast(LONGS, c1);
    LongVector x2 = LongVector.broadcast(LONGS, c2);
    LongVector x3 = LongVector.broadcast(LONGS, c3);
    long k0 = key & LOW;
    long k1 = key >>> 32;
    for (int round = 0; round < ROUNDS; round++) {
      LongVector product0 = x0.mul(MULTIPLIER_0);
      LongVector product1 = x2.mul(MULTIPLIER_1);
      x0 = product1.lanewise(VectorOperators.LSHR, 32).lanewise(VectorOperators.XOR, x1);
      x0 = x0.lanewise(VectorOperators.XOR, k0);
      x1 = product1.and(LOW);
      x2 = product0.lanewise(VectorOperators.LSHR, 32).lanewise(VectorOperators.XOR, x3);
      x2 = x2.lanewise(VectorOperators.XOR, k1);
      x3 = product0.and(LOW);
      k0 = k0 + WEYL_0 & LOW;
      k1 = k1 + WEYL_1 & LOW;
    }
    return Long.expand(x0.lt(threshold).toLong(), 0x1111_1111L)
        | Long.expand(x1.lt(threshold).toLong(), 0x2222_2222L)
        | Long.expand(x2.lt(threshold).toLong(), 0x4444_4444L)
        | Long.expand(x3.lt(threshold).toLong(), 0x8888_8888L);
  }
}
