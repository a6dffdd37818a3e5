package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.kernel.FewRows;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.LowRankRows;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Matrix products.
///
/// On a GPU they are cuBLAS's. On the host bf16 and f16 products run natively where the processor
/// has instructions for them, else on f32 copies of the operands: libtorch's own fallback is an
/// order of magnitude slower, except for a few rows times a matrix that lies column by column, as
/// in decoding. f32 products run on oneDNN or BLAS, whichever is faster on the processor.
public final class Matmul {
  /// Multiplications below which a product is not worth dividing between threads.
  private static final long LEAST_DIVIDED = 1L << 23;

  /// Products up to these sizes are over in BLAS before oneDNN has begun: it takes 20 to 50 µs to
  /// find its kernel.
  static final long SMALL_MATRIX = 1L << 14;

  private static final long SMALL_WORK = 1L << 18;

  /// oneDNN first copies a first matrix that lies column by column, which pays for wide results
  /// only.
  private static final long NARROW = 64;

  /// From these sides on oneDNN may read a second matrix that lies row by row badly.
  private static final long WIDE = 512;

  /// libtorch's fallback for bf16 and f16 takes a dot product for each element where the second
  /// matrix lies column by column. It costs a row at a time; copies of the matrix cost once.
  private static final long FEW_ROWS = 8;

  /// Our kernel for low-rank products reads an adapter's matrices for each of its rows anew.
  private static final int FEW_LOW_RANK_ROWS = 8;

  private Matmul() {}

  /// Returns the product of two matrices, or of two batches of matrices.
  ///
  /// @param scope owner of the result
  /// @param a `(M, K)` or `(B, M, K)`
  /// @param b `(K, N)` or `(B, K, N)`
  /// @return `(M, N)` or `(B, M, N)`
  /// @throws ShapeException if the inner sizes or the batches differ
  /// @throws dev.gatun.runtime.DTypeException if the types differ
  public static Tensor matmul(Scope scope, Tensor a, Tensor b) {
    check(a, b);
    Tensor result = product(scope, a, b);
    if (scope.records(a, b)) {
      boolean needA = scope.needs(a);
      boolean needB = scope.needs(b);
      scope.record(
          result,
          new Tensor[] {a, b},
          new Tensor[] {a, b},
          (s, saved, g) ->
              new Tensor[] {
                needA ? product(s, g[0], Layout.transpose(s, saved[1], -2, -1)) : null,
                needB ? product(s, Layout.transpose(s, saved[0], -2, -1), g[0]) : null
              });
    }
    return result;
  }

  private static void check(Tensor a, Tensor b) {
    Checks.alike("matmul", a, b);
    Checks.floating("matmul", a);
    int rank = a.rank();
    if (rank != b.rank() || rank < 2 || rank > 3) {
      throw new ShapeException("matmul: found " + a + " x " + b + ", expected two of rank 2 or 3");
    }
    if (a.size(-1) != b.size(-2)) {
      throw new ShapeException("matmul: inner sizes differ: " + a + " x " + b);
    }
    if (rank == 3 && a.size(0) != b.size(0)) {
      throw new ShapeException("matmul: batches differ: " + a + " x " + b);
    }
  }

  private static Tensor product(Scope scope, Tensor a, Tensor b) {
    DType dtype = a.dtype();
    DType compute = computeType(a);
    long[] shape = a.shape();
    shape[shape.length - 1] = b.size(-1);
    if (Kernels.available() && a.rank() == 2) {
      Tensor result = fewRows(scope, a, b, shape);
      if (result != null) {
        return result;
      }
    }
    if (compute != dtype && !isFewDotProducts(a, b)) {
      try (Scope block = scope.untaped()) {
        Tensor wide = product(block, Layout.to(block, a, compute), Layout.to(block, b, compute));
        return Layout.to(scope, wide, dtype);
      }
    }
    if (oneDnn(a, b)) {
      return transposedLinear(scope, a, b);
    }
    Tensor result = scope.empty(dtype, shape);
    if (divisible(a, b)) {
      divided(scope, result, result, a, b, 0, 1);
    } else if (shape.length == 2) {
      Shim.mm(result, a, b);
    } else {
      Shim.bmm(result, a, b);
    }
    return result;
  }

  /// Returns the product by our own kernel, or null where that is not the way.
  private static @Nullable Tensor fewRows(Scope scope, Tensor a, Tensor b, long[] shape) {
    if (FewRows.takes(a, b)) {
      Tensor result = scope.empty(a.dtype(), shape);
      FewRows.times(scope, a, b, result);
      return result;
    }
    try (Scope block = scope.untaped()) {
      Tensor turned = Layout.transpose(block, b, 0, 1);
      if (!FewRows.takes(a, turned)) {
        return null;
      }
      Tensor result = scope.empty(a.dtype(), shape);
      FewRows.timesTransposed(scope, a, turned, result);
      return result;
    }
  }

  private static boolean isFewDotProducts(Tensor a, Tensor b) {
    return a.rank() == 2 && a.size(0) <= FEW_ROWS && b.strides()[0] == 1;
  }

  private static boolean oneDnn(Tensor a, Tensor b) {
    if (a.dtype() != DType.F32 || a.rank() != 2 || a.device().isCuda() || !Shim.hasOneDnnLinear()) {
      return false;
    }
    long m = a.size(0);
    long k = a.size(1);
    long n = b.size(1);
    if (k * n <= SMALL_MATRIX && m * k * n <= SMALL_WORK) {
      return false;
    }
    boolean byColumns = a.strides()[1] != 1;
    boolean byRows = b.strides()[1] == 1;
    boolean wide = Math.min(k, n) >= WIDE && divisible(a, b);
    return !(byColumns && n <= NARROW) && !(byRows && wide && Shim.blasBeatsOneDnn());
  }

  /// Returns whether a product is large enough to be divided between threads.
  private static boolean divisible(Tensor a, Tensor b) {
    boolean onBlas = a.dtype() == DType.F32 || a.dtype() == DType.F64;
    return onBlas
        && a.rank() == 2
        && !a.device().isCuda()
        && a.elements() * b.size(1) >= LEAST_DIVIDED;
  }

  /// Writes beta c + alpha a b to a result, cut along its longer side into a BLAS product for each
  /// thread: OpenBLAS computes on the calling thread alone, as its own threads would fight
  /// OpenMP's.
  ///
  /// @param c `(M, N)`, which may be the result, or `(N)`; not read where beta is 0
  private static void divided(
      Scope scope, Tensor result, Tensor c, Tensor a, Tensor b, double beta, double alpha) {
    Tensor[] operands = {result, c, a, b};
    int held = 0;
    try (Scope block = scope.untaped()) {
      while (held < operands.length) {
        operands[held].acquire();
        held++;
      }
      int dim = result.size(1) >= result.size(0) ? 1 : 0;
      long size = result.size(dim);
      int parts = (int) Math.min(size, Shim.threads(block));
      MemorySegment[][] handles = new MemorySegment[parts][];
      for (int i = 0; i < parts; i++) {
        long start = size * i / parts;
        long length = size * (i + 1) / parts - start;
        boolean columns = dim == 1;
        int cut = c.rank() == 2 ? dim : 0;
        handles[i] =
            new MemorySegment[] {
              raw(Layout.narrow(block, result, dim, start, length)),
              raw(c.rank() == 2 || columns ? Layout.narrow(block, c, cut, start, length) : c),
              raw(columns ? a : Layout.narrow(block, a, 0, start, length)),
              raw(columns ? Layout.narrow(block, b, 1, start, length) : b)
            };
      }
      Parallel.run(
          parts,
          i -> Shim.addmm(handles[i][0], handles[i][1], handles[i][2], handles[i][3], beta, alpha));
    } finally {
      while (held > 0) {
        operands[--held].release();
      }
    }
  }

  /// Returns a handle that any thread may use; the caller keeps the tensor alive.
  private static MemorySegment raw(Tensor tensor) {
    return MemorySegment.ofAddress(tensor.handleAddress());
  }

  /// oneDNN's linear layer takes the second matrix as `(N, K)`.
  private static Tensor transposedLinear(Scope scope, Tensor a, Tensor b) {
    try (Scope block = scope.untaped()) {
      Tensor w = Layout.transpose(block, b, 0, 1);
      return scope.adopt(
          Shim.linear(scope, a.handle(), w.handle(), null), a.dtype(), a.size(0), b.size(1));
    }
  }

  /// Returns the type that products of a tensor are computed in on its device.
  static DType computeType(Tensor x) {
    DType dtype = x.dtype();
    boolean half = dtype == DType.BF16 || dtype == DType.F16;
    return half && !x.device().isCuda() && !Shim.hasHalfGemm(dtype) ? DType.F32 : dtype;
  }

  /// Returns x w^T + bias, the linear layer.
  ///
  /// @param scope owner of the result
  /// @param x `(N, I)`
  /// @param w `(O, I)`; any strides, so a transposed view of an `(I, O)` weight will do
  /// @param bias `(O)`, or null
  /// @return `(N, O)`
  /// @throws ShapeException if the sizes do not fit
  /// @throws dev.gatun.runtime.DTypeException if the types of `x` and `w` differ
  public static Tensor linear(Scope scope, Tensor x, Tensor w, @Nullable Tensor bias) {
    checkLinear(x, w, bias);
    Tensor result;
    try (Scope block = scope.untaped()) {
      Tensor transposed = Layout.transpose(block, w, 0, 1);
      if (isForFewRows(x, w, transposed)) {
        Tensor plain = product(block, x, transposed);
        result =
            bias == null ? plain : Elementwise.add(block, plain, Layout.as(block, bias, x.dtype()));
        result = scope.keep(result);
      } else if (oneDnn(x, transposed) && (bias == null || bias.dtype() == x.dtype())) {
        result =
            scope.adopt(
                Shim.linear(scope, x.handle(), w.handle(), bias == null ? null : bias.handle()),
                x.dtype(),
                x.size(0),
                w.size(0));
      } else if (bias != null && bias.dtype() == x.dtype() && computeType(x) == x.dtype()) {
        result = scope.empty(x.dtype(), x.size(0), w.size(0));
        addmm(block, result, bias, x, transposed, 1);
      } else if (bias != null) {
        Tensor plain = product(block, x, transposed);
        result = scope.keep(Elementwise.add(block, plain, Layout.as(block, bias, x.dtype())));
      } else {
        result = product(scope, x, transposed);
      }
    }
    if (scope.records(x, w, bias)) {
      boolean needX = scope.needs(x);
      boolean needW = scope.needs(w);
      boolean needBias = scope.needs(bias);
      DType biasType = bias == null ? x.dtype() : bias.dtype();
      Tensor[] saved = needW ? new Tensor[] {w, x} : new Tensor[] {w};
      scope.record(
          result,
          new Tensor[] {x, w, bias},
          saved,
          (s, kept, g) ->
              new Tensor[] {
                needX ? product(s, g[0], kept[0]) : null,
                needW ? product(s, Layout.transpose(s, g[0], 0, 1), kept[1]) : null,
                needBias ? Layout.as(s, Reduce.sum(s, g[0], false, 0), biasType) : null
              });
    }
    return result;
  }

  static void checkLinear(Tensor x, Tensor w, @Nullable Tensor bias) {
    Checks.rank("linear", "x", x, 2);
    Checks.rank("linear", "weight", w, 2);
    Checks.alike("linear", x, w);
    Checks.floating("linear", x);
    if (x.size(1) != w.size(1)) {
      throw new ShapeException("linear: inner sizes differ: x " + x + ", weight " + w);
    }
    if (bias != null) {
      Checks.shape("linear", "bias", bias, w.size(0));
    }
  }

  /// Returns whether [#linear] goes through our own kernel, which reads the weight where it lies.
  ///
  /// @param transposed a view of the weight
  static boolean isForFewRows(Tensor x, Tensor w, Tensor transposed) {
    return Kernels.available() && (FewRows.takes(x, w) || FewRows.takes(x, transposed));
  }

  /// Adds low-rank products to rows in place, each to its own; nothing is recorded.
  ///
  /// A few rows of each, as in decoding, are added by one call of our own kernel.
  ///
  /// @param scope owner of temporaries
  /// @param target `(N, O)`, written
  /// @param x `(N, I)` of the target's type
  /// @param parts rows and matrices, which are taken in the target's type
  /// @throws ShapeException if sizes do not fit together
  /// @throws dev.gatun.runtime.DTypeException if the types of `x` and target differ
  public static void addLowRankInPlace(Scope scope, Tensor target, Tensor x, List<LowRank> parts) {
    Checks.rank("low rank", "target", target, 2);
    Checks.rank("low rank", "x", x, 2);
    Checks.alike("low rank", target, x);
    Checks.floating("low rank", x);
    Checks.shape("low rank", "target", target, x.size(0), target.size(1));
    List<LowRankRows.Part> rows = new ArrayList<>();
    try (Scope block = scope.untaped()) {
      for (LowRank part : parts) {
        check(target, x, part);
        Tensor a = Layout.as(block, part.a(), x.dtype());
        Tensor b = Layout.as(block, part.b(), x.dtype());
        boolean few = part.end() - part.start() <= FEW_LOW_RANK_ROWS;
        if (few && Kernels.available() && LowRankRows.takes(target, x, a, b)) {
          for (int row = part.start(); row < part.end(); row++) {
            rows.add(new LowRankRows.Part(row, a, b, part.scale()));
          }
        } else {
          int count = part.end() - part.start();
          Tensor low = linear(block, Layout.narrow(block, x, 0, part.start(), count), a, null);
          Tensor own = Layout.narrow(block, target, 0, part.start(), count);
          addProductInPlace(block, own, part.scale(), low, Layout.transpose(block, b, 0, 1));
        }
      }
      if (!rows.isEmpty()) {
        LowRankRows.add(block, target, x, rows);
      }
    }
  }

  private static void check(Tensor target, Tensor x, LowRank part) {
    Checks.rank("low rank", "a", part.a(), 2);
    Checks.shape("low rank", "a", part.a(), part.a().size(0), x.size(1));
    Checks.shape("low rank", "b", part.b(), target.size(1), part.a().size(0));
    if (part.start() < 0 || part.end() <= part.start() || part.end() > x.size(0)) {
      throw new ShapeException(
          "low rank: found rows %d to %d, expected some of 0 to %d"
              .formatted(part.start(), part.end(), x.size(0)));
    }
  }

  /// Adds alpha a b to a matrix in place; nothing is recorded.
  ///
  /// @param scope owner of temporaries
  /// @param target `(M, N)`, written; any strides
  /// @param alpha factor
  /// @param a `(M, K)` of the target's type
  /// @param b `(K, N)` of the target's type
  /// @throws ShapeException if the sizes do not fit
  /// @throws IllegalStateException if the target is read-only
  public static void addProductInPlace(
      Scope scope, Tensor target, double alpha, Tensor a, Tensor b) {
    check(a, b);
    Checks.rank("addmm", "a", a, 2);
    Checks.alike("addmm", target, a);
    Checks.shape("addmm", "target", target, a.size(0), b.size(1));
    if (computeType(a) != a.dtype()) {
      try (Scope block = scope.untaped()) {
        Tensor sum =
            Elementwise.add(block, target, Elementwise.scale(block, product(block, a, b), alpha));
        Layout.copyInPlace(target, sum);
      }
      return;
    }
    target.handleForWriting("addmm");
    addmm(scope, target, target, a, b, alpha);
  }

  private static void addmm(
      Scope scope, Tensor result, Tensor c, Tensor a, Tensor b, double alpha) {
    if (divisible(a, b)) {
      divided(scope, result, c, a, b, 1, alpha);
    } else {
      Shim.addmm(result, c, a, b, 1, alpha);
    }
  }
}
