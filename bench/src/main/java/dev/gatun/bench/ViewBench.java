package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What a view of a tensor costs, made and freed: nothing is copied, whatever the size.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class ViewBench extends NativeBench {
  private static final long SIDE = 1024;
  private static final long ROWS = 16;

  private Scope scope;
  private Tensor tensor; // f32 (SIDE, SIDE)
  private MemorySegment handle;
  private MemorySegment memory;
  private MemorySegment sizes;
  private MemorySegment strides;
  private MemorySegment result;

  /// Allocates 4 MiB.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    scope = Scope.open();
    tensor = scope.zeros(DType.F32, SIDE, SIDE);
    handle = tensor.handle();
    memory = tensor.segment();
    Arena arena = scope.arena();
    sizes = arena.allocateFrom(JAVA_LONG, ROWS, SIDE);
    strides = arena.allocateFrom(JAVA_LONG, SIDE, 1);
    result = arena.allocate(ADDRESS);
  }

  /// Frees it.
  @TearDown
  public void close() {
    scope.close();
  }

  /// Takes a slice of the tensor's segment, for scale.
  @Benchmark
  public MemorySegment slice() {
    return memory.asSlice(4 * SIDE, 4 * ROWS * SIDE);
  }

  /// Asks the tensor for its segment.
  @Benchmark
  public MemorySegment segment() {
    return tensor.segment();
  }

  /// Views a range of rows by bare calls, arguments prepared.
  @Benchmark
  public void narrowShim() {
    Operands.check(Torch.aoti_torch__reinterpret_tensor(handle, 2, sizes, strides, SIDE, result));
    Operands.check(Torch.aoti_torch_delete_tensor_object(result.get(ADDRESS, 0)));
  }

  /// Views a range of rows by the runtime.
  @Benchmark
  public void narrow() {
    scope.free(Layout.narrow(scope, tensor, 0, 1, ROWS));
  }

  /// Views the tensor transposed.
  @Benchmark
  public void transpose() {
    scope.free(Layout.transpose(scope, tensor, 0, 1));
  }

  /// Views the tensor under another shape.
  @Benchmark
  public void reshape() {
    scope.free(Layout.reshape(scope, tensor, SIDE, ROWS, -1));
  }

  /// Views the tensor from another scope, as what outlives its scope does.
  @Benchmark
  public void keep() {
    scope.free(scope.keep(tensor));
  }
}
