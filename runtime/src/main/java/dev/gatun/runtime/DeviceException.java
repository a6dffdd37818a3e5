package dev.gatun.runtime;

/// A device is not there, or tensors of one were found where those of another are expected; found
/// before any native call.
public final class DeviceException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /// Creates one with a line that names the operation, what was found and what is expected.
  ///
  /// @param message the line
  public DeviceException(String message) {
    super(message);
  }

  /// Creates one for a device that libtorch cannot use.
  ///
  /// @param message the line
  /// @param cause what libtorch says
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
