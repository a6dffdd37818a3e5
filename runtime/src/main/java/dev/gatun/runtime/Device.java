package dev.gatun.runtime;

/// Where a tensor's memory lies and where its operations run.
///
/// @param kind CPU or CUDA
/// @param index number of the CUDA device; 0 for the CPU
public record Device(Kind kind, int index) {
  /// The host.
  public static final Device CPU = new Device(Kind.CPU, 0);

  /// The kinds of devices, with libtorch's numbers.
  public enum Kind {
    /// Host memory, host cores.
    CPU(0),
    /// An NVIDIA GPU.
    CUDA(1);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /// {@return the number of libtorch's `c10::DeviceType`}
    public int code() {
      return code;
    }
  }

  @Override
  public String toString() {
    return kind == Kind.CPU ? "cpu" : "cuda:" + index;
  }
}
