package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Two small f32 matrices of one shape and a square one to multiply them by, as arrays, as tensors
/// and as bare libtorch handles, with the argument blocks of bare calls made before.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class Operands {
  private static final long ABI = (2L << 56) | (10L << 48);

  /// Shape `MxK` of the two matrices; the square one is `(K, K)`.
  @Param({"1x64", "16x16", "64x64"})
  public String shape;

  int rows;
  int columns;
  float[] a; // (M, K)
  float[] b; // (M, K)
  float[] square; // (K, K)

  Scope scope;
  Tensor x; // a
  Tensor y; // b
  Tensor w; // square

  MemorySegment left; // handle of x
  MemorySegment right; // handle of y
  MemorySegment weight; // handle of w
  MemorySegment product; // handle of a kept (M, K)
  MemorySegment result; // where a call puts the handle that it makes
  MemorySegment stack; // arguments of a dispatcher call
  MemorySegment mul;
  MemorySegment mm;
  MemorySegment tensorOverload;
  MemorySegment noOverload;

  /// Fills the matrices.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    Backend.setThreads(1);
    int cross = shape.indexOf('x');
    rows = Integer.parseInt(shape.substring(0, cross));
    columns = Integer.parseInt(shape.substring(cross + 1));
    Random random = new Random(1);
    a = normal(random, rows * columns);
    b = normal(random, rows * columns);
    square = normal(random, columns * columns);

    scope = Scope.open();
    x = scope.of(a, rows, columns);
    y = scope.of(b, rows, columns);
    w = scope.of(square, columns, columns);

    left = x.handle();
    right = y.handle();
    weight = w.handle();
    product = scope.zeros(x.dtype(), rows, columns).handle();
    Arena arena = scope.arena();
    result = arena.allocate(ADDRESS);
    stack = arena.allocate(JAVA_LONG, 2);
    mul = arena.allocateFrom("aten::mul");
    mm = arena.allocateFrom("aten::mm");
    tensorOverload = arena.allocateFrom("Tensor");
    noOverload = arena.allocateFrom("");
  }

  private static float[] normal(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// Frees the matrices.
  @TearDown
  public void close() {
    scope.close();
  }

  /// Deletes the tensor that a bare call has put into `result`.
  void delete(int code) {
    check(code);
    check(Torch.aoti_torch_delete_tensor_object(result.get(ADDRESS, 0)));
  }

  /// Calls an operator of two tensors by name, which takes a handle of its own for each, and
  /// deletes its result.
  void dispatch(
      MemorySegment name, MemorySegment overload, MemorySegment first, MemorySegment second) {
    check(Torch.aoti_torch_new_tensor_handle(first, result));
    stack.set(JAVA_LONG, 0, result.get(JAVA_LONG, 0));
    check(Torch.aoti_torch_new_tensor_handle(second, result));
    stack.set(JAVA_LONG, 8, result.get(JAVA_LONG, 0));
    check(Torch.torch_call_dispatcher(name, overload, stack, ABI));
    check(Torch.aoti_torch_delete_tensor_object(stack.get(ADDRESS, 0)));
  }

  static void check(int code) {
    if (code != 0) {
      throw new IllegalStateException("libtorch: found code " + code + ", expected 0");
    }
  }
}
