package dev.gatun.bench.peers;

import dev.gatun.bench.Matrices;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The matrices as JavaCPP's tensors, in inference mode on one thread.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class JavaCppOperands extends Matrices {
  private Tensor x; // a
  private Tensor y; // b
  private Tensor w; // square
  private Tensor shift; // bias
  private Tensor loraA; // down
  private Tensor loraB; // up
  private Scalar scale;
  private InferenceMode inference;

  /// Makes the tensors and checks what is computed with them.
  @Setup
  public void open() {
    prepareThread();
    inference = new InferenceMode();
    fill();
    x = Tensor.create(a, rows, columns);
    y = Tensor.create(b, rows, columns);
    w = Tensor.create(square, columns, columns);
    shift = Tensor.create(bias, columns);
    loraA = Tensor.create(down, columns, RANK);
    loraB = Tensor.create(up, RANK, columns);
    scale = new Scalar(SCALE);
    try (PointerScope _ = new PointerScope()) {
      Answers.check("add", floats(sum()), add());
      Answers.check("mul", floats(product()), mul());
      Answers.check("matmul", floats(matrixProduct()), matmul());
      Answers.check("gelu, erf", floats(gatedLayer("none")), gelu(false));
      Answers.check("gelu, tanh", floats(gatedLayer("tanh")), gelu(true));
      Answers.check("lora", floats(loraBranch()), lora());
    }
  }

  /// Frees them.
  @TearDown
  public void close() {
    for (Pointer pointer : List.of(x, y, w, shift, loraA, loraB, scale, inference)) {
      pointer.close();
    }
  }

  static void prepareThread() {
    torch.set_num_threads(1);
    openblas_nolapack.blas_set_num_threads(1);
  }

  static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    tensor.data_ptr_float().get(values);
    return values;
  }

  Tensor sum() {
    return x.add(y);
  }

  Tensor product() {
    return x.mul(y);
  }

  Tensor matrixProduct() {
    return x.mm(w);
  }

  Tensor gatedLayer(String form) {
    return torch.gelu(torch.linear(x, w, shift), form).mul(y);
  }

  Tensor loraBranch() {
    return x.mm(loraA).mm(loraB).mul(scale).add(y);
  }
}
