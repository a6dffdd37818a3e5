package dev.gatun.runtime;

/// The CUDA driver or NVRTC reported a failure. A fault of a kernel shows at a later call, and from
/// then on every call of the process fails; `-Dgatun.cuda.sync=true` waits for each kernel, so that
/// the failure names the right one.
public class CudaException extends NativeException {
  private static final long serialVersionUID = 1L;

  /// Creates one; see [NativeException].
  ///
  /// @param function the C function that failed, and what for
  /// @param code its return code
  /// @param text name and text of the code
  public CudaException(String function, int code, String text) {
    super(function, code, text);
  }
}
