package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// A few rows times a matrix, as in decoding: the matrix is read once, as fast as the memory gives
/// it, where a library first copies it into the order that pays for many rows.
///
/// bf16 elements are read as pairs, an int each: the lower half shifted up is the f32 value of the
/// even element, the int with its lower half cleared that of the odd one.
public final class FewRows {
  /// With more rows oneDNN is faster.
  private static final int MOST_ROWS = 2;

  /// Elements of the matrix that are worth a thread.
  private static final long LEAST_ELEMENTS = 1 << 15;

  /// The matrix is read at four places at a time, each of which goes on from row to row where rows
  /// are long: that is a tenth faster than at one. Where reading begins anew, the processor does
  /// not know yet what to fetch.
  private static final int PLACES = 4;

  /// Bytes of a row after which beginning at another costs more than going on.
  private static final int SHORT_ROW = 512;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private FewRows() {}

  /// {@return whether this kernel is the way to multiply these}
  ///
  /// @param x `(M, K)`
  /// @param matrix `(N, K)` or `(K, N)`
  public static boolean takes(Tensor x, Tensor matrix) {
    return x.size(0) <= MOST_ROWS
        && matrix.elements() >= LEAST_ELEMENTS
        && matrix.size(1) % 2 == 0
        && Kernels.take(x, matrix);
  }

  /// Writes x matrixᵀ to `result`.
  ///
  /// @param scope for the number of threads
  /// @param x `(M, K)`, taken by [#takes]
  /// @param matrix `(N, K)`
  /// @param result `(M, N)`, of the type of x, row-major
  public static void timesTransposed(Scope scope, Tensor x, Tensor matrix, Tensor result) {
    int rows = (int) x.size(0);
    int inner = (int) x.size(1);
    long outputs = matrix.size(0);
    Memory.with(
        m -> {
          float[][] inputs = inputs(m[0], rows, inner);
          Parallel.ranges(
              scope,
              outputs,
              1,
              1 + LEAST_ELEMENTS / inner,
              (from, to) -> {
                int count = (int) (to - from);
                float[][] outs = new float[rows][count];
                for (int row = 0; row < rows; row++) {
                  dots(m[1], from, count, inputs[row], outs[row], 0);
                }
                for (int row = 0; row < rows; row++) {
                  m[2].store(outs[row], row * outputs + from, count);
                }
              });
        },
        x,
        matrix,
        result);
  }

  /// Returns the rows of x, ordered as [#load] does.
  private static float[][] inputs(Memory x, int rows, int inner) {
    float[][] inputs = new float[rows][inner];
    for (int i = 0; i < rows; i++) {
      load(x, (long) i * inner, inputs[i]);
    }
    return inputs;
  }

  /// Reads a row from its first element on; in bf16 its even elements first, then the odd ones.
  static void load(Memory memory, long first, float[] row) {
    if (memory.dtype() == DType.F32) {
      memory.load(first, row, row.length);
      return;
    }
    MemorySegment segment = memory.segment();
    int half = row.length / 2;
    int i = 0;
    for (; i + Lanes.COUNT <= half; i += Lanes.COUNT) {
      IntVector pairs = ints(segment, 2 * first + 4L * i);
      even(pairs).intoArray(row, i);
      odd(pairs).intoArray(row, half + i);
    }
    for (; i < half; i++) {
      int pair = segment.get(ValueLayout.JAVA_INT_UNALIGNED, 2 * first + 4L * i);
      row[i] = Float.intBitsToFloat(pair << 16);
      row[half + i] = Float.intBitsToFloat(pair & 0xffff0000);
    }
  }

  /// Writes a row in the order of [#load].
  static void store(float[] row, Memory memory, long first) {
    if (memory.dtype() == DType.F32) {
      memory.store(row, first, row.length);
      return;
    }
    MemorySegment segment = memory.segment();
    int half = row.length / 2;
    int i = 0;
    for (; i + Lanes.COUNT <= half; i += Lanes.COUNT) {
      IntVector evens = Block.narrowed(Lanes.of(row, i));
      IntVector odds = Block.narrowed(Lanes.of(row, half + i));
      IntVector pairs = odds.lanewise(VectorOperators.LSHL, 16).or(evens);
      pairs.intoMemorySegment(segment, 2 * first + 4L * i, ORDER);
    }
    for (; i < half; i++) {
      int pair = (Block.narrowed(row[half + i]) << 16) | (Block.narrowed(row[i]) & 0xffff);
      segment.set(ValueLayout.JAVA_INT_UNALIGNED, 2 * first + 4L * i, pair);
    }
  }

  /// Multiplies some rows of the matrix with x, for `outs` from `first` on; places beyond the last
  /// row do that once more.
  static void dots(Memory matrix, long from, int count, float[] x, float[] outs, int first) {
    boolean wide = matrix.dtype() == DType.F32;
    int each = (count + PLACES - 1) / PLACES;
    int apart = apart(matrix, x.length, each);
    long[] offsets = new long[PLACES];
    float[] found = new float[PLACES];
    for (int i = 0; i < each; i++) {
      int at = apart == 1 ? PLACES * i : i;
      for (int j = 0; j < PLACES; j++) {
        long row = from + Math.min(at + j * apart, count - 1);
        offsets[j] = row * x.length * matrix.dtype().bytes();
      }
      if (wide) {
        dotF32(matrix.segment(), offsets, x, found);
      } else {
        dotBf16(matrix.segment(), offsets, x, found);
      }
      for (int j = 0; j < PLACES; j++) {
        outs[first + Math.min(at + j * apart, count - 1)] = found[j];
      }
    }
  }

  /// Returns how far apart the four rows lie that are read at a time: where rows are short, reading
  /// goes on at their end.
  private static int apart(Memory matrix, int columns, int each) {
    return columns * matrix.dtype().bytes() <= SHORT_ROW ? 1 : each;
  }

  /// Multiplies four rows of the matrix with x.
  private static void dotF32(MemorySegment matrix, long[] offsets, float[] x, float[] found) {
    FloatVector a = Lanes.of(0);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    long first = offsets[0];
    long second = offsets[1];
    long third = offsets[2];
    long fourth = offsets[3];
    int i = 0;
    for (; i + Lanes.COUNT <= x.length; i += Lanes.COUNT) {
      FloatVector factor = Lanes.of(x, i);
      a = floats(matrix, first + 4L * i).fma(factor, a);
      b = floats(matrix, second + 4L * i).fma(factor, b);
      c = floats(matrix, third + 4L * i).fma(factor, c);
      d = floats(matrix, fourth + 4L * i).fma(factor, d);
    }
    sums(a, b, c, d, found);
    for (; i < x.length; i++) {
      for (int j = 0; j < PLACES; j++) {
        found[j] += matrix.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offsets[j] + 4L * i) * x[i];
      }
    }
  }

  /// As [#dotF32].
  private static void dotBf16(MemorySegment matrix, long[] offsets, float[] x, float[] found) {
    FloatVector a = Lanes.of(0);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    long first = offsets[0];
    long second = offsets[1];
    long third = offsets[2];
    long fourth = offsets[3];
    int half = x.length / 2;
    int i = 0;
    for (; i + Lanes.COUNT <= half; i += Lanes.COUNT) {
      FloatVector evens = Lanes.of(x, i);
      FloatVector odds = Lanes.of(x, half + i);
      IntVector pairs = ints(matrix, first + 4L * i);
      a = odd(pairs).fma(odds, even(pairs).fma(evens, a));
      pairs = ints(matrix, second + 4L * i);
      b = odd(pairs).fma(odds, even(pairs).fma(evens, b));
      pairs = ints(matrix, third + 4L * i);
      c = odd(pairs).fma(odds, even(pairs).fma(evens, c));
      pairs = ints(matrix, fourth + 4L * i);
      d = odd(pairs).fma(odds, even(pairs).fma(evens, d));
    }
    sums(a, b, c, d, found);
    for (; i < half; i++) {
      for (int j = 0; j < PLACES; j++) {
        int pair = matrix.get(ValueLayout.JAVA_INT_UNALIGNED, offsets[j] + 4L * i);
        found[j] += Float.intBitsToFloat(pair << 16) * x[i];
        found[j] += Float.intBitsToFloat(pair & 0xffff0000) * x[half + i];
      }
    }
  }

  private static void sums(
      FloatVector a, FloatVector b, FloatVector c, FloatVector d, float[] found) {
    found[0] = Lanes.sum(a);
    found[1] = Lanes.sum(b);
    found[2] = Lanes.sum(c);
    found[3] = Lanes.sum(d);
  }

  static FloatVector floats(MemorySegment memory, long offset) {
    return FloatVector.fromMemorySegment(Lanes.FLOATS, memory, offset, ORDER);
  }

  static IntVector ints(MemorySegment memory, long offset) {
    return IntVector.fromMemorySegment(Lanes.INTS, memory, offset, ORDER);
  }

  static FloatVector even(IntVector pairs) {
    return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  static FloatVector odd(IntVector pairs) {
    return pairs.and(0xffff0000).reinterpretAsFloats();
  }

  /// Writes x matrix to `result`: each thread sums its share of the matrix's rows, so that it reads
  /// the memory in order.
  ///
  /// @param scope for the number of threads
  /// @param x `(M, K)`, taken by [#takes]
  /// @param matrix `(K, N)`
  /// @param result `(M, N)`, of the type of x, row-major
  public static void times(Scope scope, Tensor x, Tensor matrix, Tensor result) {
    int rows = (int) x.size(0);
    int inner = (int) x.size(1);
    int outputs = Math.toIntExact(matrix.size(1));
    int parts = Parallel.parts(scope, inner, 1 + LEAST_ELEMENTS / outputs);
    Memory.with(
        m -> {
          float[] input = new float[inner];
          for (int row = 0; row < rows; row++) {
            m[0].load((long) row * inner, input, inner);
            float[][] sums = new float[parts][outputs];
            Parallel.run(
                parts,
                part -> {
                  int from = inner * part / parts;
                  int count = inner * (part + 1) / parts - from;
                  sum(m[1], from, count, input, from, sums[part]);
                });
            for (int part = 1; part < parts; part++) {
              for (int i = 0; i < outputs; i++) {
                sums[0][i] += sums[part][i];
              }
            }
            store(sums[0], m[2], (long) row * outputs);
          }
        },
        x,
        matrix,
        result);
  }

  /// Adds some rows of the matrix, each times its element of x from `first` on; in bf16 the even
  /// columns come first, then the odd ones.
  static void sum(Memory matrix, long from, int count, float[] x, int first, float[] sums) {
    boolean wide = matrix.dtype() == DType.F32;
    int each = count / PLACES;
    int apart = apart(matrix, sums.length, each);
    float[] factors = new float[PLACES];
    for (int i = 0; i < each; i++) {
      int k = apart == 1 ? PLACES * i : i;
      for (int j = 0; j < PLACES; j++) {
        factors[j] = x[first + k + j * apart];
      }
      if (wide) {
        addF32(matrix.segment(), from + k, apart, factors, sums);
      } else {
        addBf16(matrix.segment(), from + k, apart, factors, sums);
      }
    }
    float[] row = new float[PLACES * each < count ? sums.length : 0];
    for (int k = PLACES * each; k < count; k++) {
      load(matrix, (from + k) * sums.length, row);
      for (int i = 0; i < row.length; i++) {
        sums[i] = Math.fma(row[i], x[first + k], sums[i]);
      }
    }
  }

  /// Adds four rows: `row`, and the next three `apart` rows from each other.
  private static void addF32(MemorySegment matrix, long row, int apart, float[] x, float[] sums) {
    long offset = 4 * row * sums.length;
    long stride = 4L * apart * sums.length;
    int i = 0;
    for (; i + Lanes.COUNT <= sums.length; i += Lanes.COUNT) {
      long at = offset + 4L * i;
      FloatVector sum = Lanes.of(sums, i);
      sum = floats(matrix, at).fma(Lanes.of(x[0]), sum);
      sum = floats(matrix, at + stride).fma(Lanes.of(x[1]), sum);
      sum = floats(matrix, at + 2 * stride).fma(Lanes.of(x[2]), sum);
      floats(matrix, at + 3 * stride).fma(Lanes.of(x[3]), sum).intoArray(sums, i);
    }
    for (; i < sums.length; i++) {
      for (int j = 0; j < PLACES; j++) {
        long at = offset + j * stride + 4L * i;
        sums[i] += x[j] * matrix.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
      }
    }
  }

  /// As [#addF32].
  private static void addBf16(MemorySegment matrix, long row, int apart, float[] x, float[] sums) {
    long offset = 2 * row * sums.length;
    long stride = 2L * apart * sums.length;
    int half = sums.length / 2;
    int i = 0;
    for (; i + Lanes.COUNT <= half; i += Lanes.COUNT) {
      long at = offset + 4L * i;
      IntVector first = ints(matrix, at);
      IntVector second = ints(matrix, at + stride);
      IntVector third = ints(matrix, at + 2 * stride);
      IntVector fourth = ints(matrix, at + 3 * stride);
      FloatVector evens = even(first).fma(Lanes.of(x[0]), Lanes.of(sums, i));
      FloatVector odds = odd(first).fma(Lanes.of(x[0]), Lanes.of(sums, half + i));
      evens = even(second).fma(Lanes.of(x[1]), evens);
      odds = odd(second).fma(Lanes.of(x[1]), odds);
      evens = even(third).fma(Lanes.of(x[2]), evens);
      odds = odd(third).fma(Lanes.of(x[2]), odds);
      even(fourth).fma(Lanes.of(x[3]), evens).intoArray(sums, i);
      odd(fourth).fma(Lanes.of(x[3]), odds).intoArray(sums, half + i);
    }
    for (; i < half; i++) {
      for (int j = 0; j < PLACES; j++) {
        int pair = matrix.get(ValueLayout.JAVA_INT_UNALIGNED, offset + j * stride + 4L * i);
        sums[i] += Float.intBitsToFloat(pair << 16) * x[j];
        sums[half + i] += Float.intBitsToFloat(pair & 0xffff0000) * x[j];
      }
    }
  }
}
