package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/// One row of [OpCases]: an op on given inputs, what it must give, and how near.
///
/// @param op class and method, as [OpCoverageTest] finds them
/// @param variant what is special about the row
/// @param inputs the arguments, by the fixture's names where there is one
/// @param operation the op; it takes its types from its inputs, so that it runs in f32 as well
/// @param plain the same in plain Java; null where a fixture is the reference
/// @param fixture the fixture's op; null where there is none
/// @param tolerance of gradients, relative to 1 + the gradient
/// @param step of the central differences
/// @param differentiable whether the op has a gradient
record OpCase(
    String op,
    String variant,
    List<Input> inputs,
    Operation operation,
    @Nullable Plain plain,
    @Nullable String fixture,
    double tolerance,
    double step,
    boolean differentiable) {
  /// An argument and whether the op has a gradient with respect to it.
  record Input(String name, double[] values, long[] shape, boolean differentiated) {
    Tensor tensor(Scope scope, DType dtype) {
      return Layout.as(scope, scope.of(values, shape), dtype);
    }
  }

  /// The op under test.
  @FunctionalInterface
  interface Operation {
    Tensor apply(Scope scope, Tensor[] in);
  }

  /// The slow reference.
  @FunctionalInterface
  interface Plain {
    double[] apply(double[][] in);

    static Plain each(DoubleUnaryOperator function) {
      return in -> Arrays.stream(in[0]).map(function).toArray();
    }

    /// Broadcasts as PyTorch does.
    static Plain each(long[] a, long[] b, DoubleBinaryOperator function) {
      int rank = Math.max(a.length, b.length);
      return in -> {
        long[] shape = new long[rank];
        for (int d = 0; d < rank; d++) {
          long sizeA = size(a, d, rank);
          shape[d] = sizeA == 1 ? size(b, d, rank) : sizeA;
        }
        double[] result = new double[(int) Arrays.stream(shape).reduce(1, (x, y) -> x * y)];
        for (int i = 0; i < result.length; i++) {
          result[i] =
              function.applyAsDouble(in[0][offset(i, shape, a)], in[1][offset(i, shape, b)]);
        }
        return result;
      };
    }

    private static long size(long[] shape, int dim, int rank) {
      int own = dim - (rank - shape.length);
      return own < 0 ? 1 : shape[own];
    }

    private static int offset(int index, long[] shape, long[] of) {
      long rest = index;
      long offset = 0;
      long step = 1;
      for (int d = shape.length - 1; d >= 0; d--) {
        long at = rest % shape[d];
        rest /= shape[d];
        long size = size(of, d, shape.length);
        offset += size == 1 ? 0 : at * step;
        step *= size;
      }
      return (int) offset;
    }
  }

  static OpCase of(String op, String variant, Operation operation) {
    return new OpCase(op, variant, List.of(), operation, null, null, 1e-7, 1e-5, true);
  }

  private OpCase with(Input input) {
    List<Input> all = new ArrayList<>(inputs);
    all.add(input);
    return new OpCase(op, variant, all, operation, plain, fixture, tolerance, step, differentiable);
  }

  /// Adds an input of normal numbers, the same in each run.
  OpCase input(String name, long... shape) {
    return with(new Input(name, normal(name, shape), shape, true));
  }

  /// Adds an input of numbers from 0.5 up.
  OpCase positive(String name, long... shape) {
    double[] values = normal(name, shape);
    return with(
        new Input(name, Arrays.stream(values).map(v -> 0.5 + Math.abs(v)).toArray(), shape, true));
  }

  /// Adds an input that is not differentiated.
  OpCase constant(String name, long... shape) {
    return with(new Input(name, normal(name, shape), shape, false));
  }

  private double[] normal(String name, long... shape) {
    Random random = new Random((op + variant + name).hashCode());
    return random
        .doubles(Arrays.stream(shape).reduce(1, (a, b) -> a * b))
        .map(u -> 0.05 * Math.signum(u - 0.5) + 3 * (u - 0.5))
        .toArray();
  }

  /// Names the slow reference.
  OpCase plain(Plain reference) {
    return new OpCase(
        op, variant, inputs, operation, reference, fixture, tolerance, step, differentiable);
  }

  /// Names the fixture and takes the inputs from it; those that it has no gradient of are
  /// constants.
  OpCase fixture(String name, String... names) {
    OpCase row =
        new OpCase(op, variant, inputs, operation, plain, name, tolerance, step, differentiable);
    for (String input : names) {
      String key = name + "." + input;
      row =
          row.with(
              new Input(
                  input,
                  Fixture.doubles(key),
                  Fixture.shape(key),
                  Fixture.has(name + ".grad." + input)));
    }
    return row;
  }

  OpCase tolerance(double wanted, double differenceStep) {
    return new OpCase(
        op, variant, inputs, operation, plain, fixture, wanted, differenceStep, differentiable);
  }

  OpCase withoutGradient() {
    return new OpCase(op, variant, inputs, operation, plain, fixture, tolerance, step, false);
  }

  Tensor[] tensors(Scope scope, DType dtype) {
    return inputs.stream().map(input -> input.tensor(scope, dtype)).toArray(Tensor[]::new);
  }

  /// Returns what the op must give.
  double[] expected() {
    return fixture == null
        ? Objects.requireNonNull(plain)
            .apply(inputs.stream().map(Input::values).toArray(double[][]::new))
        : Fixture.doubles(fixture + ".out");
  }

  @Override
  public String toString() {
    return op + " (" + variant + ")";
  }
}
