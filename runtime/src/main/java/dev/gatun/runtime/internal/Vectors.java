package dev.gatun.runtime.internal;

import jdk.incubator.vector.VectorShape;
import org.jspecify.annotations.Nullable;

/// Whether this process computes with vectors of its own, beside libtorch.
public final class Vectors {
  private static final String MODULE = "jdk.incubator.vector";
  private static final int LEAST_BITS = 256;

  private static final int BITS =
      ModuleLayer.boot().findModule(MODULE).isPresent()
          ? VectorShape.preferredShape().vectorBitSize()
          : 0;
  private static final @Nullable String OBSTACLE =
      obstacle(System.getProperty("gatun.kernels", "on"), BITS);
  private static final boolean USED = OBSTACLE == null;

  private Vectors() {}

  /// Returns whether it does: the module is there, the processor's vectors are wide enough, and the
  /// system property `gatun.kernels` is not `off`.
  public static boolean areUsed() {
    return USED;
  }

  /// Returns their width, or why they are not used and what to do about it.
  public static String state() {
    return USED ? "in use, vectors of " + BITS + " bits" : "not in use: " + OBSTACLE;
  }

  /// Returns what is in the way, or null.
  ///
  /// @param setting value of the system property
  /// @param bits of a vector; 0 where the module is not there
  static @Nullable String obstacle(String setting, int bits) {
    if (setting.equals("off")) {
      return "switched off by -Dgatun.kernels=off";
    }
    if (bits == 0) {
      return "add --add-modules " + MODULE;
    }
    return bits < LEAST_BITS
        ? "the processor has vectors of " + bits + " bits, expected " + LEAST_BITS + " or more"
        : null;
  }
}
