package dev.gatun.runtime;

/// A native library reported a failure. Each is a `dev.gatun.NativeFailure` event of Flight
/// Recorder.
public class NativeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// The C function or operator.
  private final String function;

  /// Its return code.
  private final int code;

  /// Creates one.
  ///
  /// @param function the C function or operator that failed
  /// @param code its return code
  /// @param text the library's own text, or what is known where it gives none
  public NativeException(String function, int code, String text) {
    super(function + ": " + text + " (code " + code + ")");
    this.function = function;
    this.code = code;
    new NativeFailureEvent(function, code, text).commit();
  }

  /// {@return the C function or operator that failed}
  public String function() {
    return function;
  }

  /// {@return the code that it returned}
  public int code() {
    return code;
  }
}
