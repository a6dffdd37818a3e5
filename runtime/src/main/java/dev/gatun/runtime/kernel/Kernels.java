package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Vectors;

/// Whether the kernels of this package can be used; ask here before touching any other class of it,
/// which may not even load without the module.
public final class Kernels {
  private Kernels() {}

  /// {@return whether there are kernels in this process, see [Vectors#areUsed]}
  public static boolean available() {
    return Vectors.areUsed();
  }

  /// {@return whether kernels can compute these tensors: all of one type, f32 or bf16, row-major,
  /// and in host memory}
  ///
  /// @param tensors inputs of one operation
  public static boolean take(Tensor... tensors) {
    if (!available()) {
      return false;
    }
    DType dtype = tensors[0].dtype();
    if (dtype != DType.F32 && dtype != DType.BF16) {
      return false;
    }
    for (Tensor tensor : tensors) {
      if (tensor.dtype() != dtype || tensor.device().isCuda() || !tensor.isContiguous()) {
        return false;
      }
    }
    return true;
  }
}
