package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Copies of f32 elements between arrays and tensors; `bytes` over a figure is GB/s.
///
/// What makes a new tensor frees it again, and new arrays are left to the collector, as in use.
public class CopyBench extends NativeBench {
  /// Copies an array into an array, for scale.
  @Benchmark
  public float[] arraycopy(Memory m) {
    System.arraycopy(m.array, 0, m.other, 0, m.array.length);
    return m.other;
  }

  /// Copies a segment of native memory into a tensor's.
  @Benchmark
  public void segmentCopy(Memory m) {
    MemorySegment.copy(m.segment, 0, m.tensor.segment(), 0, m.bytes);
  }

  /// Copies an array into a tensor that is there.
  @Benchmark
  public void intoTensor(Memory m) {
    MemorySegment.copy(m.array, 0, m.tensor.segment(), JAVA_FLOAT, 0, m.array.length);
  }

  /// Copies an array into a new tensor.
  @Benchmark
  public void newTensor(Memory m) {
    m.scope.free(m.scope.of(m.array, m.array.length));
  }

  /// Copies a tensor into an array that is there.
  @Benchmark
  public float[] intoArray(Memory m) {
    MemorySegment.copy(m.tensor.segment(), JAVA_FLOAT, 0, m.other, 0, m.other.length);
    return m.other;
  }

  /// Copies a tensor into a new array.
  @Benchmark
  public float[] newArray(Memory m) {
    return m.tensor.toFloats();
  }

  /// Copies an array into a new tensor, and that into a new array.
  @Benchmark
  public float[] roundTrip(Memory m) {
    Tensor copy = m.scope.of(m.array, m.array.length);
    float[] result = copy.toFloats();
    m.scope.free(copy);
    return result;
  }

  /// A tensor and a segment of the arrays' size.
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  @SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
  public static class Memory extends HostArrays {
    private Scope scope;
    private Tensor tensor;
    private MemorySegment segment;

    /// Allocates them.
    @Setup
    @SuppressWarnings("MustBeClosedChecker") // close() does
    public void open() {
      fill();
      scope = Scope.open();
      tensor = scope.of(array, array.length);
      segment = scope.arena().allocate(bytes, 64);
    }

    /// Frees them.
    @TearDown
    public void close() {
      scope.close();
    }
  }
}
