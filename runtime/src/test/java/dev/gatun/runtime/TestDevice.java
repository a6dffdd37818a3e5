package dev.gatun.runtime;

/// Where the tests of operations, gradients and optimizers run: the host, or what
/// `-Dgatun.test.device=cuda` names. With `-Dgatun.cuda.simulated=true` beside it the path to the
/// GPU is tested without one.
public final class TestDevice {
  /// The device.
  public static final Device DEVICE = Device.of(System.getProperty("gatun.test.device", "cpu"));

  private TestDevice() {}

  /// Opens a scope there.
  public static Scope open() {
    return Scope.open(DEVICE);
  }

  /// Opens a shared scope there.
  public static Scope openShared() {
    return Scope.openShared(DEVICE);
  }
}
