package dev.gatun.runtime;

import org.jspecify.annotations.Nullable;

/// Element type of a tensor. Thread-safe.
public enum DType {
  /// 32-bit IEEE 754 float.
  F32(4),
  /// 64-bit IEEE 754 float.
  F64(8),
  /// 16-bit float with the exponent range of `F32`.
  BF16(2),
  /// 16-bit IEEE 754 float.
  F16(2),
  /// 64-bit signed integer.
  I64(8),
  /// 32-bit signed integer.
  I32(4),
  /// 16-bit signed integer.
  I16(2),
  /// 8-bit signed integer.
  I8(1),
  /// 8-bit unsigned integer.
  U8(1),
  /// One byte, `0` or `1`.
  BOOL(1);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /// Returns the size of one element in bytes.
  ///
  /// @return 1, 2, 4 or 8
  public int bytes() {
    return bytes;
  }

  /// Returns the name that safetensors files use.
  ///
  /// @return for example `F32`
  public String safetensorsName() {
    return name();
  }

  /// Returns the type that a safetensors file names.
  ///
  /// @param name for example `BF16`
  /// @return the type, or `null` where we have none of this name
  public static @Nullable DType fromSafetensors(String name) {
    for (DType dtype : values()) {
      if (dtype.name().equals(name)) {
        return dtype;
      }
    }
    return null;
  }
}
