package dev.gatun.bench.peers;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.jni.JniUtils;
import dev.gatun.bench.Matrices;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The matrices as DJL's arrays, on one thread and without gradients.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class DjlOperands extends Matrices {
  private NDManager manager;
  private NDArray x; // a
  private NDArray y; // b
  private NDArray w; // square
  private NDArray shift; // bias
  private NDArray loraA; // down
  private NDArray loraB; // up

  /// Makes the arrays and checks what is computed with them.
  @Setup
  public void open() {
    manager = manager();
    fill();
    x = manager.create(a, new Shape(rows, columns));
    y = manager.create(b, new Shape(rows, columns));
    w = manager.create(square, new Shape(columns, columns));
    shift = manager.create(bias, new Shape(columns));
    loraA = manager.create(down, new Shape(columns, RANK));
    loraB = manager.create(up, new Shape(RANK, columns));
    Answers.check("add", sum().toFloatArray(), add());
    Answers.check("mul", product().toFloatArray(), mul());
    Answers.check("matmul", matrixProduct().toFloatArray(), matmul());
    Answers.check("gelu", gatedLayer().toFloatArray(), gelu(false));
    Answers.check("lora", loraBranch().toFloatArray(), lora());
  }

  /// Frees them.
  @TearDown
  public void close() {
    manager.close();
  }

  /// Opens a manager on this thread. Nothing is downloaded or reported: the natives are in jars.
  static NDManager manager() {
    System.setProperty("ai.djl.offline", "true");
    NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    JniUtils.setNumThreads(1);
    JniUtils.setGradMode(false);
    return manager;
  }

  NDArray sum() {
    return x.add(y);
  }

  NDArray product() {
    return x.mul(y);
  }

  NDArray matrixProduct() {
    return x.matMul(w);
  }

  NDArray gatedLayer() {
    try (NDArray sum = Linear.linear(x, w, shift).singletonOrThrow();
        NDArray gate = Activation.gelu(sum)) {
      return gate.mul(y);
    }
  }

  NDArray loraBranch() {
    try (NDArray inner = x.matMul(loraA);
        NDArray branch = inner.matMul(loraB);
        NDArray scaled = branch.mul(SCALE)) {
      return scaled.add(y);
    }
  }
}
