package dev.gatun.runtime;

/// Arguments of an operation lie on different devices; found before any native call.
public final class DeviceException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /// Creates one with a line that names the operation and both sides.
  ///
  /// @param message the line
  public DeviceException(String message) {
    super(message);
  }
}
