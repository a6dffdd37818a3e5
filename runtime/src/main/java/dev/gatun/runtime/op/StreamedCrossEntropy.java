package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.Softmax;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The cross-entropy of a frozen head and its gradient, a block of the vocabulary at a time: flash
/// attention with hidden rows for queries and the head for keys and values.
///
/// Each block of the head is read once, for its logits and for its part of the gradient, and the
/// logits of a block never leave the processor's cache. The label is left out of every sum. With L
/// the logarithm of the sum of all other e^z, and m the other rows' mean under the softmax of the
/// others, the loss is log(1 + e^(L - z)), z the label's logit, and its gradient (m - w) / (1 +
/// e^(z - L)), w the label's row of the head: no probability near 1 is rounded before 1 is taken
/// from it.
final class StreamedCrossEntropy {
  private static final int MOST_ROWS = 1024;

  /// Logits of a block.
  private static final long BLOCK_ELEMENTS = 1 << 20;

  /// In place of the label's logit.
  private static final double LOWEST = -1e30;

  private static final Operator SOFTMAX = Operator.of("_softmax.out");
  private static final Operator LERP_IN_PLACE = Operator.of("lerp_.Tensor");

  private final Tensor hidden;
  private final Tensor head;
  private final long[] labels;
  private final DType wide;
  private final double[] losses;

  /// Prepares the computation.
  ///
  /// @param hidden `(M, C)`
  /// @param head `(V, C)`
  /// @param labels M ids below V
  StreamedCrossEntropy(Tensor hidden, Tensor head, long[] labels) {
    this.hidden = hidden;
    this.head = head;
    this.labels = labels;
    this.losses = new double[labels.length];
    this.wide = hidden.dtype() == DType.F64 ? DType.F64 : DType.F32;
  }

  /// Returns the rows' losses, in nats, after [#run].
  double[] losses() {
    return losses;
  }

  /// Computes the losses and, where asked, the gradient with respect to the hidden rows.
  ///
  /// @param scope owner of temporaries
  /// @param scale factor of the gradient
  /// @param gradient `(M, C)`, written; or null
  void run(Scope scope, double scale, @Nullable Tensor gradient) {
    for (int start = 0; start < labels.length; start += MOST_ROWS) {
      int count = Math.min(MOST_ROWS, labels.length - start);
      try (Scope block = scope.child()) {
        Rows rows = new Rows(block, start, count, gradient != null);
        rows.run(block);
        System.arraycopy(rows.losses(), 0, losses, start, count);
        if (gradient != null) {
          Layout.copyInPlace(
              Layout.narrow(block, gradient, 0, start, count), rows.gradient(block, scale));
        }
      }
    }
  }

  /// The state of some rows while the vocabulary goes by.
  private final class Rows {
    private final int count;
    private final long[] ids;
    private final Tensor x;

    /// Label's logit of each row.
    private final double[] label;

    /// Logarithm of the sum of e^z over the other ids seen.
    private final double[] others;

    /// Mean of the head's rows under the softmax of the other ids seen, `(M, C)`.
    private final @Nullable Tensor mean;

    Rows(Scope scope, int start, int count, boolean wantsGradient) {
      this.count = count;
      this.ids = Arrays.copyOfRange(labels, start, start + count);
      DType compute = Matmul.computeType(hidden);
      this.x = Layout.as(scope, Layout.narrow(scope, hidden, 0, start, count), compute);
      this.label = new double[count];
      this.others = new double[count];
      Arrays.fill(others, Double.NEGATIVE_INFINITY);
      this.mean = wantsGradient ? scope.zeros(wide, count, head.size(1)) : null;
    }

    void run(Scope scope) {
      long vocabulary = head.size(0);
      long most = Math.max(1, BLOCK_ELEMENTS / count);
      long blocks = (vocabulary + most - 1) / most;
      for (long i = 0; i < blocks; i++) {
        long start = vocabulary * i / blocks;
        try (Scope block = scope.child()) {
          block(block, start, vocabulary * (i + 1) / blocks - start);
        }
      }
    }

    private void block(Scope scope, long start, long length) {
      Tensor w = Layout.as(scope, Layout.narrow(scope, head, 0, start, length), x.dtype());
      Tensor logits = Matmul.linear(scope, x, w, null);
      takeLabels(logits, start, length);
      double[] sums = new double[count];
      Tensor p = softmax(scope, logits, sums);
      double[] share = new double[count];
      for (int i = 0; i < count; i++) {
        double all = logAddExp(others[i], sums[i]);
        share[i] = Math.exp(sums[i] - all);
        others[i] = all;
      }
      if (mean != null) {
        Tensor blockMean = Layout.as(scope, Matmul.matmul(scope, p, w), wide);
        Tensor weight = Layout.as(scope, scope.of(share, count, 1), wide);
        LERP_IN_PLACE.run(scope, mean, blockMean, weight);
      }
    }

    /// Returns the softmax of the rows, and the logarithms of their sums.
    private Tensor softmax(Scope scope, Tensor logits, double[] sums) {
      if (Kernels.take(logits)) {
        Softmax.rows(scope, logits, sums);
        return logits;
      }
      Tensor p = Layout.as(scope, logits, wide);
      double[] largest = column(Reduce.max(scope, p, -1));
      SOFTMAX.run(scope, p, -1, false, p);
      double[] likeliest = column(Reduce.max(scope, p, -1));
      for (int i = 0; i < count; i++) {
        // the largest probability is e^(largest - log of the sum)
        sums[i] = largest[i] - Math.log(likeliest[i]);
      }
      return Layout.as(scope, p, logits.dtype());
    }

    /// Reads the logits of the labels among the block's ids and leaves them out of what follows.
    private void takeLabels(Tensor logits, long start, long length) {
      MemorySegment memory = logits.segment();
      for (int i = 0; i < count; i++) {
        long column = ids[i] - start;
        if (column >= 0 && column < length) {
          label[i] = exchange(memory, logits.dtype(), i * length + column);
        }
      }
    }

    private static double exchange(MemorySegment memory, DType dtype, long at) {
      return switch (dtype) {
        case F64 -> {
          double z = memory.getAtIndex(ValueLayout.JAVA_DOUBLE, at);
          memory.setAtIndex(ValueLayout.JAVA_DOUBLE, at, LOWEST);
          yield z;
        }
        case F32 -> {
          float z = memory.getAtIndex(ValueLayout.JAVA_FLOAT, at);
          memory.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) LOWEST);
          yield z;
        }
        case BF16 -> {
          int z = memory.getAtIndex(ValueLayout.JAVA_SHORT, at) << 16;
          int lowest = Float.floatToRawIntBits((float) LOWEST) >>> 16;
          memory.setAtIndex(ValueLayout.JAVA_SHORT, at, (short) lowest);
          yield Float.intBitsToFloat(z);
        }
        default -> {
          short z = memory.getAtIndex(ValueLayout.JAVA_SHORT, at);
          memory.setAtIndex(ValueLayout.JAVA_SHORT, at, Float.floatToFloat16(-65504));
          yield Float.float16ToFloat(z);
        }
      };
    }

    private double[] column(Tensor values) {
      MemorySegment memory = values.segment();
      double[] column = new double[count];
      for (int i = 0; i < count; i++) {
        column[i] =
            wide == DType.F64
                ? memory.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                : memory.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      }
      return column;
    }

    double[] losses() {
      double[] losses = new double[count];
      for (int i = 0; i < count; i++) {
        losses[i] = logAddExp(0, others[i] - label[i]);
      }
      return losses;
    }

    Tensor gradient(Scope scope, double scale) {
      double[] factors = new double[count];
      for (int i = 0; i < count; i++) {
        factors[i] = scale / (1 + Math.exp(label[i] - others[i]));
      }
      Tensor factor = Layout.as(scope, scope.of(factors, count, 1), wide);
      Tensor own = Layout.as(scope, Layout.rows(scope, head, scope.of(ids, count)), wide);
      Tensor others = Objects.requireNonNull(mean);
      return Elementwise.mul(scope, Elementwise.sub(scope, others, own), factor);
    }
  }

  private static double logAddExp(double a, double b) {
    double most = Math.max(a, b);
    if (most == Double.NEGATIVE_INFINITY) {
      return most;
    }
    return most + Math.log1p(Math.exp(Math.min(a, b) - most));
  }
}
