package dev.gatun.runtime;

import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// Arithmetic on shapes.
public final class Shapes {
  private static final int MAX_RANK = 64;

  private Shapes() {}

  /// {@return the number of elements of a shape}
  ///
  /// @param op name for the error
  /// @param shape sizes, none negative
  /// @throws ShapeException if a size is negative, the product overflows or there are more than 64
  ///   sizes
  public static long elements(String op, long... shape) {
    if (shape.length > MAX_RANK) {
      throw new ShapeException(op + ": found rank " + shape.length + ", expected at most 64");
    }
    long product = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new ShapeException(
            op + ": found shape " + text(shape) + ", expected no negative size");
      }
      if (size != 0 && product > Long.MAX_VALUE / 8 / size) {
        throw new ShapeException(op + ": the elements of " + text(shape) + " overflow 64 bits");
      }
      product *= size;
    }
    return product;
  }

  /// {@return row-major strides, in elements}
  ///
  /// @param shape sizes
  public static long[] strides(long... shape) {
    long[] strides = new long[shape.length];
    long step = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = step;
      step *= Math.max(1, shape[i]);
    }
    return strides;
  }

  /// {@return a shape as `(4, 8)`}
  ///
  /// @param shape sizes
  public static String text(long... shape) {
    return LongStream.of(shape)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "(", ")"));
  }

  /// {@return the shape of an element-wise result of two shapes}
  ///
  /// @param op name for the error
  /// @param a sizes of the one
  /// @param b sizes of the other
  /// @throws ShapeException if they cannot be broadcast together
  public static long[] broadcast(String op, long[] a, long[] b) {
    if (Arrays.equals(a, b)) {
      return a;
    }
    int rank = Math.max(a.length, b.length);
    long[] result = new long[rank];
    for (int i = 0; i < rank; i++) {
      long sizeA = i < rank - a.length ? 1 : a[i - (rank - a.length)];
      long sizeB = i < rank - b.length ? 1 : b[i - (rank - b.length)];
      if (sizeA != sizeB && sizeA != 1 && sizeB != 1) {
        throw new ShapeException(op + ": cannot broadcast " + text(a) + " with " + text(b));
      }
      result[i] = sizeA == 1 ? sizeB : sizeA;
    }
    return result;
  }

  /// {@return a dimension counted from the front}
  ///
  /// @param op name for the error
  /// @param shape sizes
  /// @param dim a dimension, negative from the back
  /// @throws ShapeException if the shape has no such dimension
  public static int dim(String op, long[] shape, int dim) {
    int positive = dim < 0 ? dim + shape.length : dim;
    if (positive < 0 || positive >= shape.length) {
      throw new ShapeException(
          op
              + ": found dimension "
              + dim
              + ", expected one of the "
              + shape.length
              + " of "
              + text(shape));
    }
    return positive;
  }
}
