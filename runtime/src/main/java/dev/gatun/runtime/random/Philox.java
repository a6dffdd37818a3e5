package dev.gatun.runtime.random;

/// The counter-based generator Philox 4x32-10: 128 bits of counter and 64 bits of key give 4 random
/// words, the same on every machine and in any order.
///
/// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. Stateless,
/// thread-safe.
public final class Philox {
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long LOW = 0xFFFFFFFFL;
  private static final int ROUNDS = 10;

  private Philox() {}

  /// Writes the 4 words of one counter.
  ///
  /// @param key the key, low word first
  /// @param c0 first word of the counter
  /// @param c1 second word
  /// @param c2 third word
  /// @param c3 fourth word
  /// @param words receives 4 words
  /// @param at where in `words`
  public static void block(long key, int c0, int c1, int c2, int c3, int[] words, int at) {
    int x0 = c0;
    int x1 = c1;
    int x2 = c2;
    int x3 = c3;
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * (x0 & LOW);
      long product1 = MULTIPLIER_1 * (x2 & LOW);
      x0 = (int) (product1 >>> 32) ^ x1 ^ k0;
      x1 = (int) product1;
      x2 = (int) (product0 >>> 32) ^ x3 ^ k1;
      x3 = (int) product0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    words[at] = x0;
    words[at + 1] = x1;
    words[at + 2] = x2;
    words[at + 3] = x3;
  }

  /// {@return the threshold below which an unsigned word means "drop": floor(p 2^32)}
  ///
  /// @param p probability, at least 0 and below 1
  public static long threshold(double p) {
    if (!(p >= 0 && p < 1)) {
      throw new IllegalArgumentException("dropout rate: found " + p + ", expected 0 <= p < 1");
    }
    return (long) Math.floor(p * 4294967296.0);
  }

  /// {@return a uniform number in [0, 1) with 53 bits from two words}
  ///
  /// @param high word of the upper 32 bits
  /// @param low word of the lower bits; its upper 21 are used
  public static double uniform(int high, int low) {
    return (((high & LOW) << 21) ^ ((low & LOW) >>> 11)) * 0x1.0p-53;
  }
}
