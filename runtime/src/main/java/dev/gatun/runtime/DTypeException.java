package dev.gatun.runtime;

/// Element types of an operation's arguments do not fit together; found before any native call.
public final class DTypeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /// Creates one with a line that names the operation and both sides.
  ///
  /// @param message the line
  public DTypeException(String message) {
    super(message);
  }
}
