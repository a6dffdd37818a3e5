package dev.gatun.runtime;

import org.jspecify.annotations.Nullable;

/// Element types of a [Tensor], with the codes of libtorch's `ScalarType` and the names of the
/// safetensors format.
public enum DType {
  /// 32-bit IEEE float.
  F32(6, 4, "F32"),
  /// 64-bit IEEE float.
  F64(7, 8, "F64"),
  /// 16-bit float with the exponent range of [#F32].
  BF16(15, 2, "BF16"),
  /// 16-bit IEEE float.
  F16(5, 2, "F16"),
  /// 64-bit signed integer.
  I64(4, 8, "I64"),
  /// 32-bit signed integer.
  I32(3, 4, "I32"),
  /// 16-bit signed integer.
  I16(2, 2, "I16"),
  /// 8-bit signed integer.
  I8(1, 1, "I8"),
  /// 8-bit unsigned integer.
  U8(0, 1, "U8"),
  /// One byte, 0 or 1.
  BOOL(11, 1, "BOOL");

  private static final @Nullable DType[] BY_CODE = new DType[16];

  static {
    for (DType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;
  private final int bytes;
  private final String safetensorsName;

  DType(int code, int bytes, String safetensorsName) {
    this.code = code;
    this.bytes = bytes;
    this.safetensorsName = safetensorsName;
  }

  /// {@return the number of libtorch's `c10::ScalarType`}
  public int code() {
    return code;
  }

  /// {@return the size of one element in bytes}
  public int bytes() {
    return bytes;
  }

  /// {@return whether this is one of the four floating-point types}
  public boolean isFloating() {
    return this == F32 || this == F64 || this == BF16 || this == F16;
  }

  /// {@return the name in a safetensors header, for instance `BF16`}
  public String safetensorsName() {
    return safetensorsName;
  }

  /// {@return the type of that name in a safetensors header, or null where Gatun has none}
  ///
  /// @param name a name such as `BF16`
  public static @Nullable DType fromSafetensors(String name) {
    for (DType type : values()) {
      if (type.safetensorsName.equals(name)) {
        return type;
      }
    }
    return null;
  }

  /// {@return the type with that number in libtorch}
  ///
  /// @param code a number of libtorch's `c10::ScalarType`
  /// @throws DTypeException if Gatun has no such type
  public static DType fromCode(int code) {
    DType type = code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    if (type == null) {
      throw new DTypeException("unsupported libtorch ScalarType " + code);
    }
    return type;
  }
}
