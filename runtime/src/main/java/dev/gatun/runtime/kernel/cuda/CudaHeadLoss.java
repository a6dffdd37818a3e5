package dev.gatun.runtime.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaProgram;
import dev.gatun.runtime.internal.cuda.Launch;
import dev.gatun.runtime.kernel.HeadLoss;
import java.lang.foreign.MemorySegment;

/// Losses of rows of logits and their gradients, which take the logits' place.
///
/// A row whose label is negative counts nothing: its losses are 0, and so are its gradients. Other
/// labels are below V; the caller sees to that.
public final class CudaHeadLoss {
  private static final CudaProgram PROGRAM = CudaProgram.of("headloss.cu");
  private static final TypedKernel CROSS_ENTROPY = new TypedKernel(PROGRAM, "cross_entropy_rows");
  private static final TypedKernel DIVERGENCE = new TypedKernel(PROGRAM, "divergence_rows");
  private static final int THREADS = 512;
  private static final int WANTED_BYTES = 16;

  private CudaHeadLoss() {}

  /// Rows of logits, `(M, V)`.
  ///
  /// @param rows M
  /// @param width V
  /// @param dtype of the logits
  public record Rows(long rows, int width, DType dtype) {}

  /// Computes the cross-entropy of each row.
  ///
  /// @param logits address of the logits; overwritten with p - 1 at the label and p elsewhere where
  ///   `gradient` is set
  /// @param labels address of M i64 ids
  /// @param gradient whether the gradient is wanted
  /// @param task receives the loss of each row in f32, in nats
  /// @param rows shape and type
  public static void crossEntropy(
      long logits, long labels, boolean gradient, long task, Rows rows) {
    if (rows.rows == 0) {
      return;
    }
    CROSS_ENTROPY
        .of(rows.dtype)
        .launch()
        .with(logits)
        .with(labels)
        .with(rows.width)
        .with(gradient)
        .with(task)
        .run(rows.rows, THREADS);
  }

  /// Computes the cross-entropy of each row of the first logits and the KL divergence between both,
  /// as [HeadLoss#withDivergence] does.
  ///
  /// @param logits1 address of the first logits; overwritten with their gradient where that is
  ///   wanted
  /// @param logits2 address of the second logits; as `logits1`
  /// @param labels address of M i64 ids
  /// @param wanted what is wanted
  /// @param task receives the cross-entropy of each row in f32, in nats
  /// @param divergence receives the divergence of each row in f32, in nats
  /// @param rows shape and type
  public static void withDivergence(
      long logits1,
      long logits2,
      long labels,
      HeadLoss.Wanted wanted,
      long task,
      long divergence,
      Rows rows) {
    if (rows.rows == 0) {
      return;
    }
    Launch launch =
        DIVERGENCE
            .of(rows.dtype)
            .launch()
            .with(logits1)
            .with(logits2)
            .with(labels)
            .with(rows.width);
    MemorySegment struct = launch.struct(WANTED_BYTES);
    double weight = wanted.oneWay() ? wanted.lambda() : wanted.lambda() / 2;
    struct.set(JAVA_FLOAT, 0, (float) weight);
    struct.set(JAVA_INT, 4, wanted.oneWay() ? 1 : 0);
    struct.set(JAVA_INT, 8, wanted.first() ? 1 : 0);
    struct.set(JAVA_INT, 12, wanted.second() ? 1 : 0);
    launch.with(task).with(divergence).run(rows.rows, THREADS);
  }
}
