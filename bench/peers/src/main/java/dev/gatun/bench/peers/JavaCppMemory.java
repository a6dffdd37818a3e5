package dev.gatun.bench.peers;

import dev.gatun.bench.HostArrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// A tensor of JavaCPP and native memory, of the arrays' size.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class JavaCppMemory extends HostArrays {
  private InferenceMode inference;
  private Tensor tensor;
  private FloatPointer memory;

  /// Allocates them and checks what is copied.
  @Setup
  public void open() {
    JavaCppOperands.prepareThread();
    inference = new InferenceMode();
    fill();
    tensor = Tensor.create(array, array.length);
    memory = new FloatPointer(array);
    try (Tensor borrowed = borrow()) {
      Answers.check("borrow", JavaCppOperands.floats(borrowed), array);
    }
    intoArray();
    Answers.check("copy", other, array);
  }

  /// Frees them.
  @TearDown
  public void close() {
    tensor.close();
    memory.close();
    inference.close();
  }

  Tensor borrow() {
    return torch.from_blob(memory, array.length);
  }

  Tensor newTensor() {
    return Tensor.create(array, array.length);
  }

  void intoTensor() {
    tensor.data_ptr_float().put(array);
  }

  float[] newArray() {
    return JavaCppOperands.floats(tensor);
  }

  float[] intoArray() {
    tensor.data_ptr_float().get(other);
    return other;
  }
}
