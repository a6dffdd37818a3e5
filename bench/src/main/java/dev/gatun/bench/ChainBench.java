package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Matmul;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;

/// A few small operations one after the other, where what each costs apart from computing adds up:
///
/// | beginning | what is computed |
/// |---|---|
/// | `geluErf` | gelu(x wᵀ + b) * y, a gated layer, with the exact GELU |
/// | `geluTanh` | the same with GELU's tanh form, which the runtime has a kernel for |
/// | `lora` | 2 x A B + y with A `(K, 8)` and B `(8, K)`: a LoRA branch |
///
/// | ending | what it is |
/// |---|---|
/// | `Java` | plain loops over arrays |
/// | `Shim` | the fewest bare calls that do it, arguments prepared: two, of which one is fused |
/// | `Runtime` | the public operations, one by one, in a scope of their own |
public class ChainBench extends NativeBench {
  /// Computes the gated layer in loops.
  @Benchmark
  public float[] geluErfJava(Operands o) {
    return o.gelu(false);
  }

  /// Computes the gated layer by bare calls.
  @Benchmark
  public void geluErfShim(Operands o) {
    Operands.check(Torch.aoti_torch_delete_tensor_object(gelu(o)));
  }

  /// Computes the gated layer by the runtime, GELU through the dispatcher.
  @Benchmark
  public void geluErfRuntime(Operands o) {
    try (Scope block = o.scope.child()) {
      gelu(block, o, false);
    }
  }

  /// Computes the gated layer in loops.
  @Benchmark
  public float[] geluTanhJava(Operands o) {
    return o.gelu(true);
  }

  /// Computes the gated layer by the runtime.
  @Benchmark
  public void geluTanhRuntime(Operands o) {
    try (Scope block = o.scope.child()) {
      gelu(block, o, true);
    }
  }

  /// Computes the LoRA branch in loops.
  @Benchmark
  public float[] loraJava(Operands o) {
    return o.lora();
  }

  /// Computes the LoRA branch by bare calls, into kept results.
  @Benchmark
  public void loraShim(Operands o) {
    lora(o);
  }

  /// Computes the LoRA branch by the runtime.
  @Benchmark
  public void loraRuntime(Operands o) {
    try (Scope block = o.scope.child()) {
      lora(block, o);
    }
  }

  /// Returns a new handle.
  static MemorySegment gelu(Operands o) {
    Operands.check(
        Torch.aoti_torch_cpu__addmm_activation(
            o.offset, o.left, o.weightTransposed, 1, 1, 1, o.result));
    MemorySegment gate = o.result.get(ADDRESS, 0);
    Operands.check(Torch.aoti_torch_cpu_mul_Tensor(gate, o.right, o.result));
    Operands.check(Torch.aoti_torch_delete_tensor_object(gate));
    return o.result.get(ADDRESS, 0);
  }

  static Tensor gelu(Scope scope, Operands o, boolean tanh) {
    Tensor gate = Elementwise.gelu(scope, Matmul.linear(scope, o.x, o.w, o.shift), tanh);
    return Elementwise.mul(scope, gate, o.y);
  }

  /// Leaves the result in `product`.
  static void lora(Operands o) {
    Operands.check(Torch.aoti_torch_cpu_mm_out(o.inner, o.left, o.first));
    Operands.check(
        Torch.aoti_torch_cpu_addmm_out(o.product, o.right, o.inner, o.second, 1, Matrices.SCALE));
  }

  static Tensor lora(Scope scope, Operands o) {
    Tensor inner = Matmul.matmul(scope, o.x, o.loraA);
    Tensor branch = Matmul.matmul(scope, inner, o.loraB);
    return Elementwise.add(scope, Elementwise.scale(scope, branch, Matrices.SCALE), o.y);
  }
}
