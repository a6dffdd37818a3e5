package dev.gatun.runtime;

/// What a [TorchException] says, which depends on the libtorch that runs.
public final class LibtorchText {
  private LibtorchText() {}

  /// Returns libtorch's own text where it can be had, from 2.13 on, else what stands in its place.
  public static String of(String text) {
    int minor = Integer.parseInt(Backend.version().split("\\.")[1]);
    return minor >= 13 ? text : "this libtorch writes the reason to standard error";
  }
}
