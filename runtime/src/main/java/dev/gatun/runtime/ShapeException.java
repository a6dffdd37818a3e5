package dev.gatun.runtime;

/// Shapes of an operation's arguments do not fit together; found before any native call.
public final class ShapeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /// Creates one with a line that names the operation and both sides.
  ///
  /// @param message the line
  public ShapeException(String message) {
    super(message);
  }
}
