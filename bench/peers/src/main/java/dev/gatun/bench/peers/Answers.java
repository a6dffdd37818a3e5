package dev.gatun.bench.peers;

/// Whether a library computes what the plain loops do.
final class Answers {
  private static final float TOLERANCE = 1e-5f;

  private Answers() {}

  static void check(String what, float[] found, float[] expected) {
    if (found.length != expected.length) {
      throw new IllegalStateException(
          "%s: found %d elements, expected %d".formatted(what, found.length, expected.length));
    }
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= TOLERANCE)) {
        throw new IllegalStateException(
            "%s: element %d: found %s, expected %s".formatted(what, i, found[i], expected[i]));
      }
    }
  }
}
