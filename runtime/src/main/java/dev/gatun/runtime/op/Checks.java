package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.DeviceException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import org.jspecify.annotations.Nullable;

/// Checks made before a native call, which would end the process or say less.
final class Checks {
  private static final Operator MIN = Operator.of("amin");
  private static final Operator MAX = Operator.of("amax");

  private Checks() {}

  /// Checks that two operands can meet in one operation: one element type, one device.
  static void alike(String op, Tensor a, Tensor b) {
    if (a.dtype() != b.dtype()) {
      throw new DTypeException(op + ": element types differ: " + a + " and " + b);
    }
    sameDevice(op, a, b);
  }

  /// Checks indices on a GPU, where one outside makes the driver end all further work of the
  /// process. On the host libtorch checks them itself.
  static void indices(Scope scope, String op, Tensor indices, long size) {
    if (!indices.device().isCuda() || indices.elements() == 0) {
      return;
    }
    try (Scope block = scope.untaped()) {
      Tensor flat = Layout.as(block, Layout.reshape(block, indices, -1), DType.I64);
      Tensor both =
          Layout.cat(
              block,
              0,
              MIN.call(block, flat, new long[] {0}, true),
              MAX.call(block, flat, new long[] {0}, true));
      long[] ends = both.toLongs();
      if (ends[0] < 0 || ends[1] >= size) {
        throw new ShapeException(
            "%s: found an index of %d, expected 0 to %d"
                .formatted(op, ends[0] < 0 ? ends[0] : ends[1], size - 1));
      }
    }
  }

  /// Returns one of the results of an operator that leaves undefined what it was not asked for.
  static Tensor defined(@Nullable Tensor result) {
    if (result == null) {
      throw new AssertionError("an operator left a result undefined");
    }
    return result;
  }

  static void sameDevice(String op, Tensor a, Tensor b) {
    if (!a.device().equals(b.device())) {
      throw new DeviceException(
          "%s: devices differ: %s on %s and %s on %s".formatted(op, a, a.device(), b, b.device()));
    }
  }

  static void dtype(String op, String name, Tensor tensor, DType expected) {
    if (tensor.dtype() != expected) {
      throw new DTypeException(op + ": " + name + ": found " + tensor + ", expected " + expected);
    }
  }

  static void floating(String op, Tensor tensor) {
    if (!tensor.dtype().isFloating()) {
      throw new DTypeException(op + ": found " + tensor + ", expected a floating-point type");
    }
  }

  static void rank(String op, String name, Tensor tensor, int expected) {
    if (tensor.rank() != expected) {
      throw new ShapeException(
          op + ": " + name + ": found " + tensor + ", expected " + expected + " dimensions");
    }
  }

  static void shape(String op, String name, Tensor tensor, long... expected) {
    if (!tensor.hasShape(expected)) {
      throw new ShapeException(
          op + ": " + name + ": found " + tensor + ", expected " + Shapes.text(expected));
    }
  }
}
