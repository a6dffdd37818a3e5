package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.util.List;

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
            Parallel.each(
                Parallel.parts(scope, elements, LEAST_ELEMENTS),
                parts.size(),
                () -> {
                  float[] input = new float[inner];
                  float[] sums = new float[outputs];
                  return i -> {
                    Part part = parts.get(i);
                    float[] low = new float[(int) part.a.size(0)];
                    FewRows.load(m[1], (long) part.row * inner, input);
                    FewRows.dots(m[2 + 2 * i], 0, low.length, input, low, 0);
                    for (int r = 0; r < low.length; r++) {
                      low[r] *= (float) part.scale;
                    }
                    long first = (long) part.row * outputs;
                    FewRows.load(m[0], first, sums);
                    FewRows.sum(m[3 + 2 * i], 0, low.length, low, 0, sums);
                    FewRows.store(sums, m[0], first);
                  };
                }),
        tensors);
  }
}
