package dev.gatun.runtime.safetensors;

import dev.gatun.runtime.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.OptionalLong;

/// A named tensor and its bytes: row-major, little-endian, without gaps.
///
/// Read from a file, `data` is a read-only view of the mapping and dies with its arena; the format
/// does not promise that it is aligned for `dtype`. As thread-safe as the arena of `data`.
///
/// @param name the key in the file
/// @param dtype element type
/// @param shape sizes, outermost first; empty for a scalar
/// @param data exactly `elements() * dtype.bytes()` bytes
public record TensorEntry(String name, DType dtype, List<Long> shape, MemorySegment data) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int BLOCK = 1 << 12; // a multiple of every element's shorts

  /// Checks that the bytes fit the shape.
  ///
  /// @throws IllegalArgumentException if a size is negative, or `data` is too long or too short
  /// @throws ArithmeticException if the number of bytes overflows
  public TensorEntry {
    shape = List.copyOf(shape);
    long bytes = byteSize(dtype, shape);
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "tensor '%s': found %d bytes, expected %d for %s %s"
              .formatted(name, data.byteSize(), bytes, dtype, shape));
    }
  }

  /// Returns the number of elements.
  ///
  /// @return the product of the shape; 1 for a scalar
  public long elements() {
    return data.byteSize() / dtype.bytes();
  }

  /// Returns the shape as a fresh array.
  ///
  /// @return sizes, outermost first
  public long[] sizes() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }

  /// Says whether the address of `data` suits `dtype`.
  ///
  /// @return `false` if a native kernel should get a copy
  public boolean isAligned() {
    return data.byteSize() == 0 || data.address() % dtype.bytes() == 0;
  }

  /// Returns the data where it is aligned, else an aligned copy.
  ///
  /// @param allocator owner of the copy
  /// @return `data` itself or a copy
  public MemorySegment aligned(SegmentAllocator allocator) {
    if (isAligned()) {
      return data;
    }
    return allocator.allocate(data.byteSize(), dtype.bytes()).copyFrom(data);
  }

  /// Finds the first NaN or infinity of a floating-point tensor. Reads every byte.
  ///
  /// @return its index in row-major order; empty if all are finite or `dtype` is no float
  public OptionalLong firstNonFinite() {
    int exponent = exponent();
    if (exponent == 0) {
      return OptionalLong.empty();
    }
    int step = dtype.bytes() / Short.BYTES;
    short[] block = new short[BLOCK];
    long shorts = data.byteSize() / Short.BYTES;
    for (long at = 0; at < shorts; at += BLOCK) {
      int count = (int) Math.min(BLOCK, shorts - at);
      MemorySegment.copy(data, SHORT, at * Short.BYTES, block, 0, count);
      for (int i = step - 1; i < count; i += step) {
        if ((block[i] & exponent) == exponent) {
          return OptionalLong.of((at + i) / step);
        }
      }
    }
    return OptionalLong.empty();
  }

  /// Returns the bits of an element's upper 16 that are all set exactly if it is NaN or infinite.
  private int exponent() {
    return switch (dtype) {
      case F32, BF16 -> 0x7f80;
      case F64 -> 0x7ff0;
      case F16 -> 0x7c00;
      case I64, I32, I16, I8, U8, BOOL -> 0;
    };
  }

  static long byteSize(DType dtype, List<Long> shape) {
    long elements = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new IllegalArgumentException("negative size in shape " + shape);
      }
      elements = Math.multiplyExact(elements, size);
    }
    return Math.multiplyExact(elements, dtype.bytes());
  }
}
