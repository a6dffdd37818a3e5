package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Sums and other reductions.
public final class Reduce {
  private static final Operator SUM = Operator.of("sum.dim_IntList");
  private static final Operator ARGMAX = Operator.of("argmax");
  private static final Operator AMAX = Operator.of("amax");
  private static final Operator SQUARED = Operator.of("square");

  private Reduce() {}

  /// {@return the sum of all elements, shape `()`}
  ///
  /// @param scope owner of the result
  /// @param x a floating-point tensor
  public static Tensor sum(Scope scope, Tensor x) {
    return sum(scope, x, false, IntStream.range(0, x.rank()).toArray());
  }

  /// {@return sums over some dimensions}
  ///
  /// @param scope owner of the result
  /// @param x a floating-point tensor
  /// @param keep whether the dimensions stay, with size 1
  /// @param dims the dimensions to sum over
  public static Tensor sum(Scope scope, Tensor x, boolean keep, int... dims) {
    Checks.floating("sum", x);
    long[] shape = x.shape();
    long[] over = new long[dims.length];
    long[] kept = shape.clone();
    for (int i = 0; i < dims.length; i++) {
      int dim = Shapes.dim("sum", shape, dims[i]);
      if (LongStream.of(over).limit(i).anyMatch(d -> d == dim)) {
        throw new ShapeException(
            "sum: found dimension " + dims[i] + " of " + Shapes.text(shape) + " twice");
      }
      over[i] = dim;
      kept[dim] = 1;
    }
    Tensor result = dims.length == 0 ? Layout.copy(scope, x) : SUM.call(scope, x, over, keep, null);
    if (scope.records(x) && dims.length > 0) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) ->
              new Tensor[] {
                Layout.copy(s, Layout.expand(s, Layout.reshape(s, g[0], kept), shape))
              });
    }
    return result;
  }

  /// {@return the mean over all elements, shape `()`}
  ///
  /// @param scope owner of the result
  /// @param x a floating-point tensor
  public static Tensor mean(Scope scope, Tensor x) {
    return Elementwise.scale(scope, sum(scope, x), 1.0 / x.elements());
  }

  /// {@return the sum of squares of all elements, shape `()`; no gradient}
  ///
  /// @param scope owner of the result
  /// @param x a floating-point tensor
  public static Tensor sumOfSquares(Scope scope, Tensor x) {
    try (Scope block = scope.untaped()) {
      return scope.keep(sum(block, SQUARED.call(block, x)));
    }
  }

  /// {@return the index of the largest element along a dimension, i64; no gradient}
  ///
  /// @param scope owner of the result
  /// @param x a numeric tensor
  /// @param dim the dimension, negative from the back
  public static Tensor argmax(Scope scope, Tensor x, int dim) {
    return ARGMAX.call(scope, x, (long) Shapes.dim("argmax", x.shape(), dim), false);
  }

  /// {@return the largest element along a dimension, which stays with size 1; no gradient}
  ///
  /// @param scope owner of the result
  /// @param x a numeric tensor
  /// @param dim the dimension, negative from the back
  public static Tensor max(Scope scope, Tensor x, int dim) {
    return AMAX.call(scope, x, new long[] {Shapes.dim("max", x.shape(), dim)}, true);
  }

  /// Sums a gradient over the dimensions that were broadcast from `shape`.
  static Tensor sumTo(Scope scope, Tensor gradient, long[] shape) {
    long[] from = gradient.shape();
    if (Arrays.equals(from, shape)) {
      return gradient;
    }
    int lead = from.length - shape.length;
    int[] dims =
        IntStream.range(0, from.length)
            .filter(i -> i < lead || (shape[i - lead] == 1 && from[i] != 1))
            .toArray();
    if (lead < 0) {
      throw new ShapeException("sumTo: " + Shapes.text(from) + " to " + Shapes.text(shape));
    }
    return Layout.reshape(scope, sum(scope, gradient, true, dims), shape);
  }
}
