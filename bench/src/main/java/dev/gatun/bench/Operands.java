package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The matrices as tensors and as bare libtorch handles, with the argument blocks of bare calls
/// made before.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class Operands extends Matrices {
  private static final long ABI = (2L << 56) | (10L << 48);

  Scope scope;
  Tensor x; // a
  Tensor y; // b
  Tensor w; // square
  Tensor shift; // bias
  Tensor loraA; // down
  Tensor loraB; // up
  Tensor kept; // (M, K), where bare calls leave a result

  MemorySegment left; // handle of x
  MemorySegment right; // handle of y
  MemorySegment weight; // handle of w
  MemorySegment weightTransposed;
  MemorySegment offset; // handle of shift
  MemorySegment first; // handle of loraA
  MemorySegment second; // handle of loraB
  MemorySegment product; // handle of kept
  MemorySegment inner; // handle of a kept (M, R)
  MemorySegment result; // where a call puts the handle that it makes
  MemorySegment stack; // arguments of a dispatcher call
  MemorySegment mul;
  MemorySegment mm;
  MemorySegment tensorOverload;
  MemorySegment noOverload;

  /// Makes the tensors.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    Backend.setThreads(1);
    fill();
    scope = Scope.open();
    x = scope.of(a, rows, columns);
    y = scope.of(b, rows, columns);
    w = scope.of(square, columns, columns);
    shift = scope.of(bias, columns);
    loraA = scope.of(down, columns, RANK);
    loraB = scope.of(up, RANK, columns);
    kept = scope.zeros(x.dtype(), rows, columns);

    left = x.handle();
    right = y.handle();
    weight = w.handle();
    weightTransposed = Layout.transpose(scope, w, 0, 1).handle();
    offset = shift.handle();
    first = loraA.handle();
    second = loraB.handle();
    product = kept.handle();
    inner = scope.zeros(x.dtype(), rows, RANK).handle();
    Arena arena = scope.arena();
    result = arena.allocate(ADDRESS);
    stack = arena.allocate(JAVA_LONG, 2);
    mul = arena.allocateFrom("aten::mul");
    mm = arena.allocateFrom("aten::mm");
    tensorOverload = arena.allocateFrom("Tensor");
    noOverload = arena.allocateFrom("");
  }

  /// Frees them.
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
