package dev.gatun.runtime;

/// libtorch reported a failure; the message carries libtorch's own text where the build gives it
/// (2.13 and later).
public final class TorchException extends NativeException {
  private static final long serialVersionUID = 1L;

  /// Creates one; see [NativeException].
  ///
  /// @param function the C function or operator that failed
  /// @param code its return code
  /// @param text libtorch's own text, or what is known where it gives none
  public TorchException(String function, int code, String text) {
    super(function, code, text);
  }
}
