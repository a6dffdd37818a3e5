package dev.gatun.bench.peers;

import dev.gatun.bench.NativeBench;
import org.openjdk.jmh.annotations.Benchmark;

/// DJL's PyTorch engine, on the libtorch that it brings, which is older than Gatun's: the work of
/// `OpBench`, `ChainBench`, `BorrowBench` and `CopyBench`.
///
/// Results are freed at once by `close()`. What it copies into goes by direct buffers, which are
/// left to the collector.
public class DjlBench extends NativeBench {
  /// Adds.
  @Benchmark
  public void add(DjlOperands o) {
    o.sum().close();
  }

  /// Multiplies elements.
  @Benchmark
  public void mul(DjlOperands o) {
    o.product().close();
  }

  /// Multiplies matrices.
  @Benchmark
  public void matmul(DjlOperands o) {
    o.matrixProduct().close();
  }

  /// Computes the gated layer; the exact GELU is the only one there.
  @Benchmark
  public void geluErf(DjlOperands o) {
    o.gatedLayer().close();
  }

  /// Computes the LoRA branch.
  @Benchmark
  public void lora(DjlOperands o) {
    o.loraBranch().close();
  }

  /// Makes and frees an array over memory that is there.
  @Benchmark
  public void borrow(DjlMemory m) {
    m.borrow().close();
  }

  /// Copies an array into one of DJL that is there.
  @Benchmark
  public void intoTensor(DjlMemory m) {
    m.intoTensor();
  }

  /// Copies an array into a new one of DJL.
  @Benchmark
  public void newTensor(DjlMemory m) {
    m.newTensor().close();
  }

  /// Copies an array of DJL into an array that is there.
  @Benchmark
  public float[] intoArray(DjlMemory m) {
    return m.intoArray();
  }

  /// Copies an array of DJL into a new array.
  @Benchmark
  public float[] newArray(DjlMemory m) {
    return m.newArray();
  }
}
