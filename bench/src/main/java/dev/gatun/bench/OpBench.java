package dev.gatun.bench;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Matmul;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;

/// Small operations with a new result each time, by four ways:
///
/// | ending | what it is |
/// |---|---|
/// | `Java` | a plain loop over arrays |
/// | `Shim` | a bare call of libtorch's kernel through the generated binding, arguments prepared |
/// | `Dispatcher` | a bare call by the operator's name, arguments prepared |
/// | `Runtime` | the public operation: checks, scope, counting |
///
/// `add` has no dispatcher form: its schema takes a `Scalar`, which the C ABI cannot pass. `div` is
/// the runtime's own way through the dispatcher.
public class OpBench extends NativeBench {
  /// Adds in a loop.
  @Benchmark
  public float[] addJava(Operands o) {
    return o.add();
  }

  /// Adds by the bare kernel.
  @Benchmark
  public void addShim(Operands o) {
    o.delete(Torch.aoti_torch_cpu_add_Tensor(o.left, o.right, 1, o.result));
  }

  /// Adds by the runtime.
  @Benchmark
  public void addRuntime(Operands o) {
    o.scope.free(Elementwise.add(o.scope, o.x, o.y));
  }

  /// Multiplies elements in a loop.
  @Benchmark
  public float[] mulJava(Operands o) {
    return o.mul();
  }

  /// Multiplies elements by the bare kernel.
  @Benchmark
  public void mulShim(Operands o) {
    o.delete(Torch.aoti_torch_cpu_mul_Tensor(o.left, o.right, o.result));
  }

  /// Multiplies elements through the bare dispatcher.
  @Benchmark
  public void mulDispatcher(Operands o) {
    o.dispatch(o.mul, o.tensorOverload, o.left, o.right);
  }

  /// Multiplies elements by the runtime, which calls the kernel.
  @Benchmark
  public void mulRuntime(Operands o) {
    o.scope.free(Elementwise.mul(o.scope, o.x, o.y));
  }

  /// Divides elements by the runtime, which goes through the dispatcher.
  @Benchmark
  public void divRuntime(Operands o) {
    o.scope.free(Elementwise.div(o.scope, o.x, o.y));
  }

  /// Multiplies matrices in three loops, the inner one along rows.
  @Benchmark
  public float[] matmulJava(Operands o) {
    return o.matmul();
  }

  /// Multiplies matrices by the bare BLAS kernel, into a kept result.
  @Benchmark
  public void matmulShim(Operands o) {
    Operands.check(Torch.aoti_torch_cpu_mm_out(o.product, o.left, o.weight));
  }

  /// Multiplies matrices through the bare dispatcher.
  @Benchmark
  public void matmulDispatcher(Operands o) {
    MemorySegment plain = o.noOverload;
    o.dispatch(o.mm, plain, o.left, o.weight);
  }

  /// Multiplies matrices by the runtime, on oneDNN.
  @Benchmark
  public void matmulRuntime(Operands o) {
    o.scope.free(Matmul.matmul(o.scope, o.x, o.w));
  }
}
