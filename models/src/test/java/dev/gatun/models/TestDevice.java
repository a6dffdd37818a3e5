package dev.gatun.models;

import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;

/// Where the tests of models run: the host, or what `-Dgatun.test.device=cuda` names. With
/// `-Dgatun.cuda.simulated=true` beside it the path to the GPU is tested without one.
public final class TestDevice {
  /// The device.
  public static final Device DEVICE = Device.of(System.getProperty("gatun.test.device", "cpu"));

  private TestDevice() {}

  /// Opens a scope there.
  public static Scope open() {
    return Scope.open(DEVICE);
  }

  /// Changes one element of a row-major tensor.
  public static void set(Tensor tensor, int at, double value) {
    try (Scope scope = open()) {
      Tensor flat = Layout.reshape(scope, tensor, tensor.elements());
      Tensor one = Layout.as(scope, scope.of(new double[] {value}, 1), tensor.dtype());
      Layout.copyInPlace(Layout.narrow(scope, flat, 0, at, 1), one);
    }
  }

  /// Opens a shared scope there.
  public static Scope openShared() {
    return Scope.openShared(DEVICE);
  }
}
