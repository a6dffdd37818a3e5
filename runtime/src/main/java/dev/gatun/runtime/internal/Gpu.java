package dev.gatun.runtime.internal;

import dev.gatun.bindings.load.LibTorch;
import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.DeviceException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TorchException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Whether and how tensors lie on GPUs in this process.
///
/// With `-Dgatun.cuda.simulated=true` tensors of a CUDA device lie in host memory and libtorch's
/// host operations compute them, while everything above treats them as a GPU's: tests of the path
/// to the GPU need none.
public final class Gpu {
  static final boolean SIMULATED = Boolean.getBoolean("gatun.cuda.simulated");

  private static boolean inUse;

  private Gpu() {}

  /// Returns whether any scope of this process was of a GPU: until then no tensor can be.
  static boolean isInUse() {
    return inUse;
  }

  /// Returns whether libtorch's functions for GPUs, past its dispatcher, take this tensor.
  public static boolean holds(Tensor tensor) {
    return isReal(tensor.device());
  }

  /// Returns whether tensors of this device lie in the memory of a GPU.
  public static boolean isReal(Device device) {
    return device.isCuda() && !SIMULATED;
  }

  /// Returns libtorch's number of the kind of device that holds such tensors.
  static int code(Device device) {
    return SIMULATED ? Device.CPU.kind().code() : device.kind().code();
  }

  /// Checks that a GPU can be used.
  ///
  /// @throws DeviceException saying what is missing
  static synchronized void require(Device device) {
    if (inUse && device.index() == 0) {
      return;
    }
    if (!SIMULATED) {
      open(device);
    }
    inUse = true;
  }

  private static void open(Device device) {
    LibTorch.load()
        .withoutCuda()
        .ifPresent(why -> {
          throw new DeviceException("device %s: %s".formatted(device, why));
        });
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment none = arena.allocate(8, 8);
      MemorySegment handle = arena.allocate(8, 8);
      Shim.check(
          Torch.aoti_torch_empty_strided(
              1, none, none, 6, device.kind().code(), device.index(), handle),
          "empty_strided");
      Shim.delete(handle.get(ValueLayout.ADDRESS, 0));
    } catch (TorchException e) {
      throw new DeviceException("device %s: %s".formatted(device, e.getMessage()), e);
    }
  }
}
