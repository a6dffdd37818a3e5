package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Copies of f32 elements between arrays and tensors; `bytes` over a figure is GB/s.
///
/// What makes a new tensor frees it again, and new arrays are left to the collector, as in use.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class CopyBench extends NativeBench {
  /// Bytes of a copy.
  @Param({"1024", "65536", "4194304"})
  public int bytes;

  private float[] array;
  private float[] other;
  private Scope scope;
  private Tensor tensor;
  private MemorySegment segment;

  /// Fills the array, a tensor and a segment.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    array = new float[bytes / Float.BYTES];
    for (int i = 0; i < array.length; i++) {
      array[i] = i;
    }
    other = new float[array.length];
    scope = Scope.open();
    tensor = scope.of(array, array.length);
    segment = scope.arena().allocate(bytes, 64);
  }

  /// Frees them.
  @TearDown
  public void close() {
    scope.close();
  }

  /// Copies an array into an array, for scale.
  @Benchmark
  public float[] arraycopy() {
    System.arraycopy(array, 0, other, 0, array.length);
    return other;
  }

  /// Copies a segment of native memory into a tensor's.
  @Benchmark
  public void segmentCopy() {
    MemorySegment.copy(segment, 0, tensor.segment(), 0, bytes);
  }

  /// Copies an array into a tensor that is there.
  @Benchmark
  public void intoTensor() {
    MemorySegment.copy(array, 0, tensor.segment(), JAVA_FLOAT, 0, array.length);
  }

  /// Copies an array into a new tensor.
  @Benchmark
  public void newTensor() {
    scope.free(scope.of(array, array.length));
  }

  /// Copies a tensor into an array that is there.
  @Benchmark
  public float[] intoArray() {
    MemorySegment.copy(tensor.segment(), JAVA_FLOAT, 0, other, 0, other.length);
    return other;
  }

  /// Copies a tensor into a new array.
  @Benchmark
  public float[] newArray() {
    return tensor.toFloats();
  }

  /// Copies an array into a new tensor, and that into a new array.
  @Benchmark
  public float[] roundTrip() {
    Tensor copy = scope.of(array, array.length);
    float[] result = copy.toFloats();
    scope.free(copy);
    return result;
  }
}
