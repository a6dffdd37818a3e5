package dev.gatun.bench.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.bench.HostArrays;
import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// An array of DJL and native memory, of the arrays' size.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class DjlMemory extends HostArrays {
  private NDManager manager;
  private Shape shape;
  private NDArray tensor;
  private ByteBuffer memory;

  /// Allocates them and checks what is copied.
  @Setup
  public void open() {
    manager = DjlOperands.manager();
    fill();
    shape = new Shape(array.length);
    tensor = newTensor();
    memory = manager.allocateDirect(bytes);
    memory.asFloatBuffer().put(array);
    Answers.check("borrow", borrow().toFloatArray(), array);
    Answers.check("copy", intoArray(), array);
  }

  /// Frees them.
  @TearDown
  public void close() {
    manager.close();
  }

  NDArray borrow() {
    return manager.create(memory, shape, DataType.FLOAT32);
  }

  NDArray newTensor() {
    return manager.create(array, shape);
  }

  void intoTensor() {
    tensor.set(array);
  }

  float[] newArray() {
    return tensor.toFloatArray();
  }

  float[] intoArray() {
    tensor.toByteBuffer(true).asFloatBuffer().get(other);
    return other;
  }
}
