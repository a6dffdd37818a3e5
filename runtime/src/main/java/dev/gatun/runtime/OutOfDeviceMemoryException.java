package dev.gatun.runtime;

/// A device has no memory left for an allocation. The process can go on with smaller ones.
public final class OutOfDeviceMemoryException extends CudaException {
  private static final long serialVersionUID = 1L;

  /// What was asked for.
  private final long asked;

  /// What was left.
  private final long free;

  /// What there is.
  private final long total;

  /// Creates one.
  ///
  /// @param function the C function or operator that failed
  /// @param code its return code
  /// @param asked bytes that were asked for; -1 where libtorch does not say
  /// @param free bytes that are free on the device
  /// @param total bytes of the device
  public OutOfDeviceMemoryException(String function, int code, long asked, long free, long total) {
    super(
        function,
        code,
        "out of device memory: asked for %s bytes, %d of %d are free"
            .formatted(asked < 0 ? "an unknown number of" : Long.toString(asked), free, total));
    this.asked = asked;
    this.free = free;
    this.total = total;
  }

  /// {@return bytes that were asked for; -1 where libtorch does not say}
  public long asked() {
    return asked;
  }

  /// {@return bytes that were free on the device, of all processes}
  public long free() {
    return free;
  }

  /// {@return bytes of the device}
  public long total() {
    return total;
  }
}
