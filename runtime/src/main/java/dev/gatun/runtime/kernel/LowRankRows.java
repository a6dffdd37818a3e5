package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Adds low-rank products to rows, each row's own: scale (x Aᵀ) Bᵀ. All rows of all adapters of a
/// decoding step are one call, and each matrix is read once for its row.
public final class LowRankRows {
  /// Elements of A and B that are worth a thread.
  private static final long LEAST_ELEMENTS = 1 << 14;

  private LowRankRows() {}

  /// A row and the matrices that it goes through.
  ///
  /// @param row index of the row
  /// @param a `(R, I)`, row-major
  /// @param b `(O, R)`, column by column
  /// @param scale factor of the product
  public record Part(int row, Tensor a, Tensor b, double scale) {}

  /// {@return whether this kernel adds the product with these}
  ///
  /// @param target `(N, O)`
  /// @param x `(N, I)`
  /// @param a `(R, I)`
  /// @param b `(O, R)`
  public static boolean takes(Tensor target, Tensor x, Tensor a, Tensor b) {
    return Kernels.take(target, x, a)
        && b.dtype() == a.dtype()
        && b.strides()[0] == 1
        && b.strides()[1] == b.size(0)
        && x.size(1) % 2 == 0
        && target.size(1) % 2 == 0;
  }

  /// Adds to some rows of the target.
  ///
  /// @param scope for the number of threads
  /// @param target `(N, O)`, taken by [#takes]
  /// @param x `(N, I)`
  /// @param parts the rows, each once
  public static void add(Scope scope, Tensor target, Tensor x, List<Part> parts) {
    int inner = (int) x.size(1);
    int outputs = (int) target.size(1);
    long elements = parts.stream().mapToLong(part -> part.a.size(0)).sum() * (inner + outputs);
    Tensor[] tensors = new Tensor[2 + 2 * parts.size()];
    tensors[0] = target;
    tensors[1] = x;
    for (int i = 0; i < parts.size(); i++) {
      tensors[2 + 2 * i] = parts.get(i).a;
      tensors[3 + 2 * i] = parts.get(i).b;
    }
    Memory.with(
        m ->
            Parallel.ranges(
                scope,
                parts.size(),
                1,
                1 + LEAST_ELEMENTS * parts.size() / Math.max(1, elements),
                (from, to) -> {
                  float[] input = new float[inner];
                  for (int i = (int) from; i < to; i++) {
                    Part part = parts.get(i);
                    float[] low = new float[(int) part.a.size(0)];
                    FewRows.load(m[1], part.row, input);
                    FewRows.dots(m[2 + 2 * i], 0, low.length, input, low);
                    for (int r = 0; r < low.length; r++) {
                      low[r] *= (float) part.scale;
                    }
                    addColumns(m[3 + 2 * i], low, m[0], (long) part.row * outputs, outputs);
                  }
                }),
        tensors);
  }

  /// Adds the matrix's columns, each times its element of `low`, to a row of the target.
  private static void addColumns(
      Memory matrix, float[] low, Memory target, long first, int outputs) {
    boolean wide = matrix.dtype() == DType.F32;
    int done =
        wide
            ? addF32(matrix.segment(), low, target.segment(), 4 * first, outputs)
            : addBf16(matrix.segment(), low, target.segment(), 2 * first, outputs);
    if (done == outputs) {
      return;
    }
    float[] sums = new float[outputs - done];
    target.load(first + done, sums, sums.length);
    float[] column = new float[sums.length];
    for (int r = 0; r < low.length; r++) {
      matrix.load((long) r * outputs + done, column, column.length);
      for (int i = 0; i < sums.length; i++) {
        sums[i] = Math.fma(column[i], low[r], sums[i]);
      }
    }
    target.store(sums, first + done, sums.length);
  }

  /// Adds to as many elements as fill vectors, and returns their number.
  private static int addF32(
      MemorySegment matrix, float[] low, MemorySegment target, long first, int outputs) {
    int i = 0;
    for (; i + Lanes.COUNT <= outputs; i += Lanes.COUNT) {
      long at = first + 4L * i;
      FloatVector sum = FewRows.floats(target, at);
      for (int r = 0; r < low.length; r++) {
        FloatVector column = FewRows.floats(matrix, 4L * ((long) r * outputs + i));
        sum = column.fma(Lanes.of(low[r]), sum);
      }
      sum.intoMemorySegment(target, at, ByteOrder.nativeOrder());
    }
    return i;
  }

  /// As [#addF32].
  private static int addBf16(
      MemorySegment matrix, float[] low, MemorySegment target, long first, int outputs) {
    int i = 0;
    for (; i + 2 * Lanes.COUNT <= outputs; i += 2 * Lanes.COUNT) {
      long at = first + 2L * i;
      IntVector own = FewRows.ints(target, at);
      FloatVector evens = FewRows.even(own);
      FloatVector odds = FewRows.odd(own);
      for (int r = 0; r < low.length; r++) {
        IntVector pairs = FewRows.ints(matrix, 2L * ((long) r * outputs + i));
        FloatVector factor = Lanes.of(low[r]);
        evens = FewRows.even(pairs).fma(factor, evens);
        odds = FewRows.odd(pairs).fma(factor, odds);
      }
      IntVector upper = Block.narrowed(odds).lanewise(VectorOperators.LSHL, 16);
      upper.or(Block.narrowed(evens)).intoMemorySegment(target, at, ByteOrder.nativeOrder());
    }
    return i;
  }
}
