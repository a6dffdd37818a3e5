package dev.gatun.runtime;

/// A device has no memory left for an allocation. The process can go on with smaller ones.
public final class OutOfDeviceMemoryException extends CudaException {
  private static final long serialVersionUID = 1L;

  /// Creates one.
  ///
  /// @param function the C function that failed
  /// @param code its return code
  /// @param asked bytes that were asked for
  /// @param free bytes that are free on the device
  /// @param total bytes of the device
  public OutOfDeviceMemoryException(String function, int code, long asked, long free, long total) {
    super(
        function,
        code,
        "out of device memory: asked for %d bytes, %d of %d are free"
            .formatted(asked, free, total));
  }
}
