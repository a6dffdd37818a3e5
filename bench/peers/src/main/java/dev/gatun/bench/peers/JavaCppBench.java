package dev.gatun.bench.peers;

import dev.gatun.bench.NativeBench;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;

/// JavaCPP's presets of PyTorch, on the libtorch that Gatun uses too: the work of `OpBench`,
/// `ChainBench`, `BorrowBench` and `CopyBench`.
///
/// Results are freed at once by `close()`, in chains by a `PointerScope`.
public class JavaCppBench extends NativeBench {
  /// Adds.
  @Benchmark
  public void add(JavaCppOperands o) {
    o.sum().close();
  }

  /// Multiplies elements.
  @Benchmark
  public void mul(JavaCppOperands o) {
    o.product().close();
  }

  /// Multiplies elements with no limit on the process's memory: by default JavaCPP looks at how much
  /// is in use for every pointer that it makes.
  @Benchmark
  @Fork(jvmArgsAppend = "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0")
  public void mulUnlimited(JavaCppOperands o) {
    o.product().close();
  }

  /// Multiplies elements in a scope that frees the result.
  @Benchmark
  public void mulScope(JavaCppOperands o) {
    try (PointerScope _ = new PointerScope()) {
      o.product();
    }
  }

  /// Multiplies elements and leaves the result to the collector.
  @Benchmark
  public Tensor mulCollected(JavaCppOperands o) {
    return o.product();
  }

  /// Multiplies matrices.
  @Benchmark
  public void matmul(JavaCppOperands o) {
    o.matrixProduct().close();
  }

  /// Computes the gated layer with the exact GELU.
  @Benchmark
  public void geluErf(JavaCppOperands o) {
    try (PointerScope _ = new PointerScope()) {
      o.gatedLayer("none");
    }
  }

  /// Computes the gated layer with GELU's tanh form.
  @Benchmark
  public void geluTanh(JavaCppOperands o) {
    try (PointerScope _ = new PointerScope()) {
      o.gatedLayer("tanh");
    }
  }

  /// Computes the LoRA branch.
  @Benchmark
  public void lora(JavaCppOperands o) {
    try (PointerScope _ = new PointerScope()) {
      o.loraBranch();
    }
  }

  /// Makes and frees a tensor over memory that is there.
  @Benchmark
  public void borrow(JavaCppMemory m) {
    m.borrow().close();
  }

  /// Copies an array into a tensor that is there.
  @Benchmark
  public void intoTensor(JavaCppMemory m) {
    m.intoTensor();
  }

  /// Copies an array into a new tensor.
  @Benchmark
  public void newTensor(JavaCppMemory m) {
    m.newTensor().close();
  }

  /// Copies a tensor into an array that is there.
  @Benchmark
  public float[] intoArray(JavaCppMemory m) {
    return m.intoArray();
  }

  /// Copies a tensor into a new array.
  @Benchmark
  public float[] newArray(JavaCppMemory m) {
    return m.newArray();
  }
}
