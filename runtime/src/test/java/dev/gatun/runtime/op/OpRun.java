package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Runs a row of [OpCases]: its value, and the scalar made of it that is differentiated.
final class OpRun {
  private OpRun() {}

  /// Returns the result in f64.
  static double[] value(OpCase row, DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor result = row.operation().apply(scope, row.tensors(scope, dtype));
      return Layout.to(scope, result, DType.F64).toDoubles();
    }
  }

  /// What flows back into a result that is no scalar: the fixture's, else fixed numbers.
  private static double[] flow(OpCase row, int length) {
    String fixture = row.fixture();
    if (fixture != null) {
      String name = fixture + ".grad_out";
      return Fixture.has(name) ? Fixture.doubles(name) : new double[] {1};
    }
    return new Random(7).doubles(length).map(u -> u + 0.5).toArray();
  }

  /// Returns the sum over the result times what flows back into it.
  static Tensor scalar(OpCase row, Scope scope, Tensor[] in) {
    Tensor result = row.operation().apply(scope, in);
    double[] flow = flow(row, (int) result.elements());
    Tensor weights = Layout.as(scope, scope.of(flow, result.shape()), result.dtype());
    return Reduce.sum(scope, Elementwise.mul(scope, result, weights));
  }

  static double scalar(OpCase row, double[][] values) {
    try (Scope scope = TestDevice.open()) {
      Tensor[] in = new Tensor[values.length];
      for (int i = 0; i < in.length; i++) {
        in[i] = scope.of(values[i], row.inputs().get(i).shape());
      }
      return scalar(row, scope, in).item();
    }
  }

  /// Returns the tape's gradients with respect to the chosen inputs, null for the others.
  static double[] @Nullable [] gradients(OpCase row, DType dtype, boolean[] chosen) {
    try (Scope scope = TestDevice.open()) {
      Tensor[] in = row.tensors(scope, dtype);
      List<Tensor> leaves = new java.util.ArrayList<>();
      for (int i = 0; i < in.length; i++) {
        if (chosen[i]) {
          leaves.add(in[i]);
        }
      }
      Gradients gradients = Tape.gradients(scope, leaves, tape -> scalar(row, tape, in));
      double[] @Nullable [] result = new double[in.length][];
      for (int i = 0; i < in.length; i++) {
        Tensor gradient = gradients.of(in[i]);
        if (gradient != null) {
          if (!Arrays.equals(gradient.shape(), in[i].shape()) || gradient.dtype() != dtype) {
            throw new AssertionError(
                row
                    + ": gradient of "
                    + row.inputs().get(i).name()
                    + ": found "
                    + gradient
                    + ", expected "
                    + in[i]);
          }
          result[i] = Layout.to(scope, gradient, DType.F64).toDoubles();
        }
      }
      return result;
    }
  }

  static boolean[] differentiated(OpCase row) {
    boolean[] chosen = new boolean[row.inputs().size()];
    for (int i = 0; i < chosen.length; i++) {
      chosen[i] = row.inputs().get(i).differentiated();
    }
    return chosen;
  }
}
