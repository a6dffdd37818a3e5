package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The floor of every native call.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class DowncallBench extends NativeBench {
  private Scope scope;
  private MemorySegment tensor;
  private MemorySegment result;

  /// Makes a tensor to ask about.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    scope = Scope.open();
    tensor = scope.zeros(DType.F32, 2, 2).handle();
    result = scope.arena().allocate(JAVA_LONG);
  }

  /// Frees it.
  @TearDown
  public void close() {
    scope.close();
  }

  /// Calls a Java method that is not inlined, for scale.
  @Benchmark
  public int javaCall() {
    return zero();
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private static int zero() {
    return 0;
  }

  /// Calls a function without arguments that returns a constant.
  @Benchmark
  public int constant() {
    return Torch.aoti_torch_device_type_cpu();
  }

  /// Calls a function that takes two addresses and writes a number, the shape of most calls.
  @Benchmark
  public int rank() {
    return Torch.aoti_torch_get_dim(tensor, result);
  }
}
