package dev.gatun.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where a tensor's memory lies and where its operations run.
///
/// @param kind CPU or CUDA
/// @param index number of the CUDA device; 0 for the CPU
public record Device(Kind kind, int index) {
  /// The host.
  public static final Device CPU = new Device(Kind.CPU, 0);

  /// The first NVIDIA GPU.
  public static final Device CUDA = new Device(Kind.CUDA, 0);

  private static final Pattern NAME = Pattern.compile("cpu|cuda(?::(\\d{1,3}))?");

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

  /// {@return the device of that name}
  ///
  /// @param name `cpu`, `cuda` or `cuda:1`
  /// @throws IllegalArgumentException if it is no such name
  public static Device of(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "device: found " + name + ", expected cpu, cuda or cuda:INDEX");
    }
    if (name.equals("cpu")) {
      return CPU;
    }
    String index = matcher.group(1);
    return new Device(Kind.CUDA, index == null ? 0 : Integer.parseInt(index));
  }

  /// {@return whether this is a GPU}
  public boolean isCuda() {
    return kind == Kind.CUDA;
  }

  @Override
  public String toString() {
    return kind == Kind.CPU ? "cpu" : "cuda:" + index;
  }
}
