package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;

/// How work is divided into blocks and into runs of 16 bytes.
final class Grid {
  static final int THREADS = 256;
  private static final int WARP = 32;
  private static final int BYTES = 16;

  private Grid() {}

  /// Returns how many elements 16 bytes hold.
  static int wide(DType dtype) {
    return BYTES / dtype.bytes();
  }

  /// Returns whether all addresses are multiples of 16 bytes.
  static boolean aligned(long... addresses) {
    long all = 0;
    for (long address : addresses) {
      all |= address;
    }
    return all % BYTES == 0;
  }

  /// Returns how many blocks of [#THREADS] it takes where each thread has some elements.
  static long blocks(long elements, int each) {
    long threads = (elements + each - 1) / each;
    return (threads + THREADS - 1) / THREADS;
  }

  /// Returns the threads of a block that does some units of work: whole warps, [#THREADS] at most.
  static int threads(long units) {
    return Math.clamp((units + WARP - 1) / WARP * WARP, WARP, THREADS);
  }
}
