package dev.gatun.models.engine;

/// The limits of a [TextEncoder] or [TextClassifier].
///
/// @param passTokens tokens of one forward pass at most, unless a single text has more
/// @param queue calls that wait at most; more are refused
/// @param threads threads of libtorch; 0 for as many as there are processors
public record EncoderOptions(int passTokens, int queue, int threads) {
  /// What suits a processor: passes of 4096 tokens.
  public static final EncoderOptions DEFAULT = new EncoderOptions(4096, 1024, 0);

  /// Checks the ranges.
  public EncoderOptions {
    check("pass tokens", passTokens, 1);
    check("queue", queue, 1);
    check("threads", threads, 0);
  }

  private static void check(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          name + ": found " + value + ", expected at least " + least);
    }
  }
}
