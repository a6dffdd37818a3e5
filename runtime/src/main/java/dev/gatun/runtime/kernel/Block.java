package dev.gatun.runtime.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gatun.runtime.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Moves elements between memory, f32 or bf16, and arrays of f32.
final class Block {
  /// Elements of a block: three arrays of them fit in a first cache of 32 KiB.
  static final int ELEMENTS = 2048;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int NAN = 0x7fc0;

  private Block() {}

  /// Reads `count` elements from `index` on.
  static void load(MemorySegment memory, DType dtype, long index, float[] target, int count) {
    if (dtype == DType.F32) {
      MemorySegment.copy(memory, JAVA_FLOAT_UNALIGNED, 4 * index, target, 0, count);
    } else {
      loadBf16(memory, 2 * index, target, count);
    }
  }

  private static void loadBf16(MemorySegment memory, long offset, float[] target, int count) {
    int bound = Lanes.FLOATS.loopBound(count);
    int i = 0;
    for (; i < bound; i += Lanes.COUNT) {
      ShortVector halves =
          ShortVector.fromMemorySegment(Lanes.SHORTS, memory, offset + 2L * i, ORDER);
      IntVector wide =
          (IntVector) halves.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
      wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(target, i);
    }
    for (; i < count; i++) {
      target[i] = widened(memory.get(JAVA_SHORT_UNALIGNED, offset + 2L * i));
    }
  }

  /// Writes `count` elements from `index` on; bf16 is rounded to nearest, ties to even.
  static void store(float[] source, MemorySegment memory, DType dtype, long index, int count) {
    if (dtype == DType.F32) {
      MemorySegment.copy(source, 0, memory, JAVA_FLOAT_UNALIGNED, 4 * index, count);
    } else {
      storeBf16(source, memory, 2 * index, count);
    }
  }

  private static void storeBf16(float[] source, MemorySegment memory, long offset, int count) {
    int bound = Lanes.FLOATS.loopBound(count);
    int i = 0;
    for (; i < bound; i += Lanes.COUNT) {
      FloatVector x = FloatVector.fromArray(Lanes.FLOATS, source, i);
      ShortVector halves =
          (ShortVector) narrowed(x).convertShape(VectorOperators.I2S, Lanes.SHORTS, 0);
      halves.intoMemorySegment(memory, offset + 2L * i, ORDER);
    }
    for (; i < count; i++) {
      memory.set(JAVA_SHORT_UNALIGNED, offset + 2L * i, narrowed(source[i]));
    }
  }

  /// Returns the bf16 neighbour of each lane, the nearest or of two the even one, in the lower
  /// half.
  static IntVector narrowed(FloatVector x) {
    IntVector bits = x.reinterpretAsInts();
    IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
    IntVector rounded = bits.add(odd).add(0x7fff).lanewise(VectorOperators.LSHR, 16);
    VectorMask<Integer> isNan = x.test(VectorOperators.IS_NAN).cast(Lanes.INTS);
    return rounded.blend(NAN, isNan);
  }

  static float widened(short half) {
    return Float.intBitsToFloat(half << 16);
  }

  static short narrowed(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) (Float.isNaN(value) ? NAN : (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }
}
