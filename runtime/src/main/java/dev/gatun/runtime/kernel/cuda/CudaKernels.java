package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Gpu;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.KernelCompiler;

/// Whether the kernels of this package can be used; libtorch computes where they cannot. Ask here
/// before any other class of it.
public final class CudaKernels {
  private CudaKernels() {}

  private static final class Available {
    static final boolean IS =
        !"off".equals(System.getProperty("gatun.kernels")) && KernelCompiler.missing().isEmpty();
  }

  /// {@return whether a tensor lies on this thread's GPU, in a type that kernels compute: f32, bf16
  /// or f16}
  ///
  /// @param tensor a tensor of any strides
  public static boolean reach(Tensor tensor) {
    DType dtype = tensor.dtype();
    return Gpu.holds(tensor)
        && (dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16)
        && Available.IS
        && CudaThread.current().device() == tensor.device().index();
  }

  /// {@return whether kernels can compute these tensors: within [#reach], of one type, and
  /// row-major}
  ///
  /// @param tensors inputs of one operation
  public static boolean take(Tensor... tensors) {
    if (!reach(tensors[0])) {
      return false;
    }
    DType dtype = tensors[0].dtype();
    for (Tensor tensor : tensors) {
      if (tensor.dtype() != dtype
          || !tensor.isContiguous()
          || !tensor.device().equals(tensors[0].device())) {
        return false;
      }
    }
    return true;
  }
}
