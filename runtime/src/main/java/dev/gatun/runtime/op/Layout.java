package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Views, copies and joins: operations that move or rename elements and compute nothing.
///
/// Views share the memory of their argument and cost no copy. All of them pass gradients.
public final class Layout {
  private static final Operator CAT = Operator.of("cat");
  private static final Operator INDEX_SELECT = Operator.of("index_select");
  private static final Operator SCATTER_ROWS = Operator.of("index_put_");
  private static final Operator GATHER = Operator.of("gather");
  private static final Operator SCATTER_ADD = Operator.of("scatter_add_");

  private Layout() {}

  /// Views a tensor with any sizes and strides inside it; nothing is recorded.
  static Tensor view(Scope scope, Tensor x, long[] shape, long[] strides) {
    return view(scope, x, shape, strides, 0);
  }

  private static Tensor view(Scope scope, Tensor x, long[] shape, long[] strides, long offset) {
    MemorySegment handle = Shim.reinterpret(scope, x.handle(), shape, strides, offset);
    return scope.adoptView(handle, x, shape, strides);
  }

  /// Views the elements under another shape, or copies them first where they are not contiguous.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param shape sizes with the same product; one may be -1, to be worked out
  /// @return the tensor of that shape
  /// @throws ShapeException if the products differ
  public static Tensor reshape(Scope scope, Tensor x, long... shape) {
    long[] target = shape.clone();
    long known = 1;
    int open = -1;
    for (int i = 0; i < target.length; i++) {
      if (target[i] == -1 && open < 0) {
        open = i;
      } else {
        known *= target[i];
      }
    }
    if (open >= 0) {
      target[open] = known == 0 ? 0 : x.elements() / known;
    }
    if (Shapes.elements("reshape", target) != x.elements()) {
      throw new ShapeException(
          "reshape: found " + x + ", expected the elements of " + Shapes.text(shape));
    }
    Tensor dense = dense(scope, x);
    Tensor result = view(scope, dense, target, Shapes.strides(target), 0);
    if (scope.records(dense)) {
      long[] original = dense.shape();
      scope.record(
          result,
          new Tensor[] {dense},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {reshape(s, g[0], original)});
    }
    return result;
  }

  /// Views the last dimension as two, of any strides and without a copy.
  ///
  /// @param scope owner of the result
  /// @param x `(N, A * B)`
  /// @param outer A
  /// @param inner B
  /// @return `(N, A, B)`
  /// @throws ShapeException if the dimension is not their product
  public static Tensor unflatten(Scope scope, Tensor x, long outer, long inner) {
    Shapes.elements("unflatten", x.size(0), outer, inner);
    Checks.shape("unflatten", "x", x, x.size(0), outer * inner);
    long[] strides = x.strides();
    Tensor result =
        view(
            scope,
            x,
            new long[] {x.size(0), outer, inner},
            new long[] {strides[0], inner * strides[1], strides[1]});
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {reshape(s, g[0], g[0].size(0), outer * inner)});
    }
    return result;
  }

  /// Views two dimensions exchanged.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param dim0 a dimension, negative from the back
  /// @param dim1 the other
  /// @return a view of `x`
  /// @throws ShapeException if a dimension does not exist
  public static Tensor transpose(Scope scope, Tensor x, int dim0, int dim1) {
    long[] shape = x.shape();
    long[] strides = x.strides();
    int a = Shapes.dim("transpose", shape, dim0);
    int b = Shapes.dim("transpose", shape, dim1);
    swap(shape, a, b);
    swap(strides, a, b);
    Tensor result = view(scope, x, shape, strides, 0);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {transpose(s, g[0], a, b)});
    }
    return result;
  }

  private static void swap(long[] values, int a, int b) {
    long kept = values[a];
    values[a] = values[b];
    values[b] = kept;
  }

  /// Views a range of one dimension.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param dim the dimension
  /// @param start first index
  /// @param length number of indices
  /// @return a view of `x`
  /// @throws ShapeException if the range leaves the dimension
  public static Tensor narrow(Scope scope, Tensor x, int dim, long start, long length) {
    Tensor result = narrowed(scope, x, dim, start, length);
    if (scope.records(x)) {
      long[] original = x.shape();
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> {
            Tensor whole = s.zeros(g[0].dtype(), original);
            Shim.copy(narrowed(s, whole, dim, start, length).handle(), g[0].handle());
            return new Tensor[] {whole};
          });
    }
    return result;
  }

  private static Tensor narrowed(Scope scope, Tensor x, int dim, long start, long length) {
    long[] shape = x.shape();
    long[] strides = x.strides();
    int d = Shapes.dim("narrow", shape, dim);
    if (start < 0 || length < 0 || start > shape[d] - length) {
      throw new ShapeException(
          "narrow: found range %d + %d, expected inside dimension %d of %s"
              .formatted(start, length, d, x));
    }
    shape[d] = length;
    return view(scope, x, shape, strides, start * strides[d]);
  }

  /// Views a tensor cut along one dimension into pieces of the given lengths.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param dim the dimension, negative from the back
  /// @param lengths sizes of the pieces, in order; their sum is that of the dimension
  /// @return a view of `x` for each length
  /// @throws ShapeException if the lengths do not add up to the dimension
  public static Tensor[] split(Scope scope, Tensor x, int dim, long... lengths) {
    if (Arrays.stream(lengths).anyMatch(length -> length < 0)
        || Arrays.stream(lengths).sum() != x.size(dim)) {
      throw new ShapeException(
          "split: found "
              + x
              + ", expected dimension "
              + dim
              + " to be the sum of "
              + Shapes.text(lengths));
    }
    Tensor[] parts = new Tensor[lengths.length];
    long start = 0;
    for (int i = 0; i < lengths.length; i++) {
      parts[i] = narrowed(scope, x, dim, start, lengths[i]);
      start += lengths[i];
    }
    if (scope.records(x)) {
      long[] shape = x.shape();
      DType dtype = x.dtype();
      scope.record(
          parts,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> {
            Tensor whole = s.empty(dtype, shape);
            long at = 0;
            for (int i = 0; i < lengths.length; i++) {
              Tensor part = narrowed(s, whole, dim, at, lengths[i]);
              Tensor gradient = g[i];
              if (gradient == null) {
                Shim.zero(part.handle());
              } else {
                Shim.copy(part.handle(), gradient.handle());
              }
              at += lengths[i];
            }
            return new Tensor[] {whole};
          });
    }
    return parts;
  }

  /// Views a tensor repeated along its dimensions of size 1.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param shape sizes of the result; dimensions may be added in front
  /// @return a view of `x`
  /// @throws ShapeException if another dimension would change
  public static Tensor expand(Scope scope, Tensor x, long... shape) {
    Shapes.elements("expand", shape);
    long[] strides = x.strides();
    long[] original = x.shape();
    long[] steps = new long[shape.length];
    int lead = shape.length - original.length;
    for (int i = 0; i < shape.length; i++) {
      long size = i < lead ? 1 : original[i - lead];
      if (lead < 0 || (size != shape[i] && size != 1)) {
        throw new ShapeException("expand: found " + x + ", expected to fit " + Shapes.text(shape));
      }
      steps[i] = size == 1 ? 0 : strides[i - lead];
    }
    Tensor result = view(scope, x, shape.clone(), steps, 0);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {Reduce.sumTo(s, g[0], original)});
    }
    return result;
  }

  /// Copies the elements into a new row-major tensor.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @return the copy
  public static Tensor copy(Scope scope, Tensor x) {
    return to(scope, x, x.dtype());
  }

  /// Returns a tensor itself where it is row-major, else a copy that is.
  static Tensor dense(Scope scope, Tensor x) {
    return x.isContiguous() ? x : copy(scope, x);
  }

  /// Copies the elements into a new row-major tensor of another type.
  ///
  /// The gradient comes back in the type of `x`.
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param dtype element type of the result
  /// @return the copy
  public static Tensor to(Scope scope, Tensor x, DType dtype) {
    Tensor result = scope.empty(dtype, x.shape());
    Shim.copy(result.handle(), x.handle());
    if (scope.records(x)) {
      DType original = x.dtype();
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {as(s, g[0], original)});
    }
    return result;
  }

  /// {@return the tensor itself where it has that type already, else a copy of that type}
  ///
  /// @param scope owner of the result
  /// @param x any tensor
  /// @param dtype element type of the result
  public static Tensor as(Scope scope, Tensor x, DType dtype) {
    return x.dtype() == dtype ? x : to(scope, x, dtype);
  }

  /// Writes the elements of one tensor into another, in place.
  ///
  /// @param target written; same shape
  /// @param source read
  /// @throws ShapeException if the shapes differ
  /// @throws IllegalStateException if the target is read-only
  public static void copyInPlace(Tensor target, Tensor source) {
    if (!source.hasShapeOf(target)) {
      Checks.shape("copy", "source", source, target.shape());
    }
    Shim.copy(target.handleForWriting("copy"), source.handle());
  }

  /// Joins tensors along one dimension.
  ///
  /// @param scope owner of the result
  /// @param dim the dimension, negative from the back
  /// @param parts one or more tensors of one type, alike outside `dim`
  /// @return the joined tensor
  /// @throws ShapeException if another dimension differs
  public static Tensor cat(Scope scope, int dim, Tensor... parts) {
    if (parts.length == 0) {
      throw new ShapeException("cat: found no tensors, expected one or more");
    }
    long[] first = parts[0].shape();
    int d = Shapes.dim("cat", first, dim);
    long[] lengths = new long[parts.length];
    for (int i = 0; i < parts.length; i++) {
      Checks.alike("cat", parts[0], parts[i]);
      long[] shape = parts[i].shape();
      boolean fits = shape.length == first.length;
      if (fits) {
        lengths[i] = shape[d];
        shape[d] = first[d];
      }
      if (!fits || !Arrays.equals(shape, first)) {
        throw new ShapeException("cat: " + parts[0] + " and " + parts[i] + " differ outside " + d);
      }
    }
    Tensor result = CAT.call(scope, parts, d);
    if (scope.records(parts)) {
      scope.record(result, parts, new Tensor[0], (s, saved, g) -> split(s, g[0], d, lengths));
    }
    return result;
  }

  /// Gathers rows.
  ///
  /// @param scope owner of the result
  /// @param x source `(M, ...)`
  /// @param rows i64 or i32 indices `(K)`, each below M
  /// @return `(K, ...)`; the gradient adds up where a row was taken twice
  public static Tensor rows(Scope scope, Tensor x, Tensor rows) {
    Checks.rank("rows", "rows", rows, 1);
    if (rows.dtype() != DType.I64 && rows.dtype() != DType.I32) {
      throw new DTypeException("rows: rows: found " + rows + ", expected I64 or I32");
    }
    if (x.rank() == 0) {
      throw new ShapeException("rows: found " + x + ", expected 1 dimension or more");
    }
    Checks.indices(scope, "rows", rows, x.size(0));
    Tensor result = INDEX_SELECT.call(scope, x, 0, rows);
    if (scope.records(x)) {
      long[] shape = x.shape();
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {rows},
          (s, saved, g) -> {
            Tensor whole = s.zeros(g[0].dtype(), shape);
            SCATTER_ROWS.run(s, whole, new Tensor[] {as(s, saved[0], DType.I64)}, g[0], true);
            return new Tensor[] {whole};
          });
    }
    return result;
  }

  /// Gathers elements along the last dimension: element (..., j) of the result is (..., index[...,
  /// j]) of `x`.
  ///
  /// @param scope owner of the result
  /// @param x source `(..., K)`
  /// @param index i64 `(..., J)` of any strides, each below K; sizes in front as those of `x`
  /// @return `(..., J)`; the gradient adds up where an element was taken twice
  /// @throws ShapeException if sizes in front of the last differ
  /// @throws dev.gatun.runtime.TorchException if an index is outside the dimension; on a GPU it is
  ///   a [ShapeException]
  public static Tensor gather(Scope scope, Tensor x, Tensor index) {
    Checks.dtype("gather", "index", index, DType.I64);
    long[] expected = x.shape();
    if (expected.length == 0 || expected.length != index.rank()) {
      throw new ShapeException(
          "gather: index: found " + index + ", expected as many dimensions as " + x);
    }
    expected[expected.length - 1] = index.size(-1);
    Checks.shape("gather", "index", index, expected);
    Checks.indices(scope, "gather", index, x.size(-1));
    Tensor result = GATHER.call(scope, x, -1, index, false);
    if (scope.records(x)) {
      long[] shape = x.shape();
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {index},
          (s, saved, g) -> {
            Tensor whole = s.zeros(g[0].dtype(), shape);
            SCATTER_ADD.run(s, whole, -1, saved[0], g[0]);
            return new Tensor[] {whole};
          });
    }
    return result;
  }
}
