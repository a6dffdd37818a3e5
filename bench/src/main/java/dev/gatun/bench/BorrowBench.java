package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What it costs to turn memory that is there into a tensor: nothing is copied, whatever the size.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class BorrowBench extends NativeBench {
  private static final long ROWS = 1024;
  private static final long COLUMNS = 1024;

  private Arena arena;
  private Scope scope;
  private MemorySegment memory; // f32 (ROWS, COLUMNS)
  private MemorySegment sizes;
  private MemorySegment strides;
  private MemorySegment result;

  /// Allocates 4 MB.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    arena = Arena.ofConfined();
    memory = arena.allocate(4 * ROWS * COLUMNS, 64);
    sizes = arena.allocateFrom(JAVA_LONG, ROWS, COLUMNS);
    strides = arena.allocateFrom(JAVA_LONG, COLUMNS, 1);
    result = arena.allocate(ADDRESS);
    scope = Scope.open();
  }

  /// Frees it.
  @TearDown
  public void close() {
    scope.close();
    arena.close();
  }

  /// Takes a slice of the segment, for scale.
  @Benchmark
  public MemorySegment slice() {
    return memory.asSlice(4 * COLUMNS);
  }

  /// Makes and deletes a tensor over it by bare calls, arguments prepared.
  @Benchmark
  public void bare() {
    Operands.check(
        Torch.aoti_torch_create_tensor_from_blob(
            memory, 2, sizes, strides, 0, DType.F32.code(), 0, 0, result));
    Operands.check(Torch.aoti_torch_delete_tensor_object(result.get(ADDRESS, 0)));
  }

  /// Makes and frees a tensor over it by the runtime.
  @Benchmark
  public void borrow() {
    scope.free(scope.borrow(memory, DType.F32, ROWS, COLUMNS));
  }
}
