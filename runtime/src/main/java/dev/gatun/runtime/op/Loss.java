package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.kernel.HeadLoss;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.cuda.CudaHeadLoss;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Losses of a language model's head, computed in chunks of rows so that the logits of all tokens
/// never exist at once. Probabilities and sums are f32 (f64 for an f64 model).
public final class Loss {
  /// Logits of one chunk, one matrix product, stay under this: glibc maps and unmaps blocks of 32
  /// MB and more on each use, which costs more than the arithmetic.
  private static final long CHUNK_BYTES = 26_000_000;

  /// On a GPU the product of a chunk must be large enough to fill it.
  private static final long GPU_CHUNK_BYTES = 256_000_000;

  /// What follows the product goes over blocks of rows, which stay in the processor's cache from
  /// one operation to the next.
  private static final long BLOCK_ELEMENTS_PER_THREAD = 1 << 16;

  private static final Operator LOG_SOFTMAX = Operator.of("_log_softmax");
  private static final Operator LOG_SOFTMAX_BACKWARD =
      Operator.of("_log_softmax_backward_data.out");
  private static final Operator EXP = Operator.of("exp");
  private static final Operator EXP_OUT = Operator.of("exp.out");
  private static final Operator DOT = Operator.of("dot");
  private static final Operator INDEX_PUT_IN_PLACE = Operator.of("index_put_");

  private Loss() {}

  /// The value of a loss and its parts.
  ///
  /// @param total what is differentiated, shape `()`
  /// @param task sum over rows of the cross-entropy of the first branch, in nats
  /// @param divergence sum over rows of the KL divergence, in nats: one way, or half the sum of
  ///   both ways; 0 with one branch
  public record Value(Tensor total, double task, double divergence) {}

  /// {@return the cross-entropy of a linear head, summed over rows and scaled}
  ///
  /// @param scope owner of the result
  /// @param hidden `(M, C)`: the rows that predict something
  /// @param head `(V, C)` output weight
  /// @param labels M ids below V
  /// @param scale factor of the sum: 1 / (all predicted tokens of the optimizer step)
  public static Value crossEntropy(
      Scope scope, Tensor hidden, Tensor head, long[] labels, double scale) {
    return compute(scope, hidden, null, head, labels, scale, 0, Flow.FIRST);
  }

  /// {@return the cross-entropy of each row, in nats, without a gradient}
  ///
  /// @param scope for temporaries
  /// @param hidden `(M, C)`: the rows that predict something
  /// @param head `(V, C)` output weight
  /// @param labels M ids below V
  public static double[] ofRows(Scope scope, Tensor hidden, Tensor head, long[] labels) {
    check(hidden, head, labels);
    if (hidden.device().isCuda()) {
      return ofRowsOnGpu(scope, hidden, head, labels);
    }
    StreamedCrossEntropy loss = new StreamedCrossEntropy(hidden, head, labels);
    try (Scope pass = scope.untaped()) {
      loss.run(pass, 1, null);
    }
    return loss.losses();
  }

  private static double[] ofRowsOnGpu(Scope scope, Tensor hidden, Tensor head, long[] labels) {
    DType wide = hidden.dtype() == DType.F64 ? DType.F64 : DType.F32;
    double[] losses = new double[labels.length];
    long rows = chunkRows(head);
    for (long start = 0; start < labels.length; start += rows) {
      long count = Math.min(rows, labels.length - start);
      try (Scope s = scope.untaped()) {
        Tensor logits = Matmul.linear(s, Layout.narrow(s, hidden, 0, start, count), head, null);
        Tensor logP = LOG_SOFTMAX.call(s, Layout.as(s, logits, wide), -1, false);
        long[] ids = Arrays.copyOfRange(labels, (int) start, (int) (start + count));
        Tensor picked = Layout.gather(s, logP, s.of(ids, ids.length, 1));
        double[] found = Layout.as(s, picked, DType.F64).toDoubles();
        for (int i = 0; i < found.length; i++) {
          losses[(int) start + i] = -found[i];
        }
      }
    }
    return losses;
  }

  /// Returns how many rows of logits are computed at once.
  private static long chunkRows(Tensor head) {
    long bytes = head.device().isCuda() ? GPU_CHUNK_BYTES : CHUNK_BYTES;
    long rows = Math.max(16, bytes / Matmul.computeType(head).bytes() / head.size(0));
    return rows - rows % 16; // products of odd sizes lose a tenth
  }

  /// {@return the cross-entropy of the first of two branches plus lambda times the bidirectional KL
  /// divergence between them: scale (sum CE(P1) + lambda sum ½ (KL(P1 || P2) + KL(P2 || P1)))}
  ///
  /// Source: HiddenKey, arXiv:2403.00812, equation 11 and figure 3: the gradient flows through the
  /// first branch only, unless `both`.
  ///
  /// @param scope owner of the result
  /// @param first `(M, C)`: the branch that the task loss is of
  /// @param second `(M, C)`: the other branch
  /// @param head `(V, C)` output weight
  /// @param labels M ids below V
  /// @param scale factor of both sums
  /// @param lambda weight of the divergence
  /// @param both whether the divergence's gradient flows through the second branch too
  public static Value hiddenKey(
      Scope scope,
      Tensor first,
      Tensor second,
      Tensor head,
      long[] labels,
      double scale,
      double lambda,
      boolean both) {
    return compute(
        scope, first, second, head, labels, scale, lambda, both ? Flow.BOTH : Flow.FIRST);
  }

  /// {@return the cross-entropy of one output plus lambda times its KL divergence from another:
  /// scale (sum CE(P1) + lambda sum KL(P1 || P2))}
  ///
  /// Source: arXiv:2403.00812, equation 12, where the other output is of a pass without masks. The
  /// gradient flows through the first alone.
  ///
  /// @param scope owner of the result
  /// @param first `(M, C)`: what the task loss is of
  /// @param second `(M, C)`: the other
  /// @param head `(V, C)` output weight
  /// @param labels M ids below V
  /// @param scale factor of both sums
  /// @param lambda weight of the divergence
  public static Value towards(
      Scope scope,
      Tensor first,
      Tensor second,
      Tensor head,
      long[] labels,
      double scale,
      double lambda) {
    return compute(scope, first, second, head, labels, scale, lambda, Flow.ONE_WAY);
  }

  /// Which divergence is meant, and where its gradient goes.
  private enum Flow {
    /// Half the sum of both ways, to the first branch.
    FIRST,
    /// Half the sum of both ways, to both branches.
    BOTH,
    /// From the first to the second, to the first branch.
    ONE_WAY
  }

  private static Value compute(
      Scope scope,
      Tensor first,
      @Nullable Tensor second,
      Tensor head,
      long[] labels,
      double scale,
      double lambda,
      Flow flow) {
    if (second != null) {
      Checks.shape("divergence", "second", second, first.shape());
      Checks.alike("divergence", first, second);
    }
    check(first, head, labels);
    if (second == null && !scope.needs(head) && !first.device().isCuda()) {
      return streamed(scope, first, head, labels, scale);
    }
    Chunks chunks = new Chunks(scope, first, second, head, labels, scale, lambda, flow);
    return chunks.run(scope);
  }

  private static void check(Tensor hidden, Tensor head, long[] labels) {
    Checks.rank("cross_entropy", "hidden", hidden, 2);
    Checks.rank("cross_entropy", "head", head, 2);
    Checks.floating("cross_entropy", hidden);
    Checks.alike("cross_entropy", hidden, head);
    if (hidden.size(1) != head.size(1) || hidden.size(0) != labels.length || labels.length == 0) {
      throw new ShapeException(
          "cross_entropy: found hidden %s, head %s, %d labels, expected (M, C), (V, C), M > 0"
              .formatted(hidden, head, labels.length));
    }
    long vocabulary = head.size(0);
    for (long label : labels) {
      if (label < 0 || label >= vocabulary) {
        throw new ShapeException(
            "cross_entropy: found label " + label + ", expected 0 to " + (vocabulary - 1));
      }
    }
  }

  private static Value streamed(
      Scope scope, Tensor hidden, Tensor head, long[] labels, double scale) {
    DType wide = hidden.dtype() == DType.F64 ? DType.F64 : DType.F32;
    StreamedCrossEntropy loss = new StreamedCrossEntropy(hidden, head, labels);
    try (Scope pass = scope.untaped()) {
      boolean records = scope.records(hidden);
      Tensor toHidden = records ? pass.empty(hidden.dtype(), hidden.shape()) : null;
      loss.run(pass, scale, toHidden);
      double sum = Arrays.stream(loss.losses()).sum();
      Tensor total = scope.full(scale * sum, wide);
      if (toHidden != null) {
        scope.record(
            total,
            new Tensor[] {hidden},
            new Tensor[] {toHidden},
            (s, kept, g) -> new Tensor[] {scaled(s, kept[0], g[0].item())});
      }
      return new Value(total, sum, 0);
    }
  }

  private static Tensor scaled(Scope scope, Tensor x, double factor) {
    return factor == 1 ? x : Elementwise.scale(scope, x, factor);
  }

  /// One pass over the rows, which leaves the gradients behind where they are wanted.
  private static final class Chunks {
    private final Tensor first;
    private final @Nullable Tensor second;
    private final Tensor head;
    private final long[] labels;
    private final double scale;
    private final double lambda;
    private final boolean oneWay;
    private final boolean wantFirst;
    private final boolean wantSecond;
    private final boolean wantHead;
    private final boolean wantSecondLogits;
    private final DType wide;
    private double task;
    private double divergence;

    Chunks(
        Scope scope,
        Tensor first,
        @Nullable Tensor second,
        Tensor head,
        long[] labels,
        double scale,
        double lambda,
        Flow flow) {
      boolean both = flow == Flow.BOTH;
      this.oneWay = flow == Flow.ONE_WAY;
      this.first = first;
      this.second = second;
      this.head = head;
      this.labels = labels;
      this.scale = scale;
      this.lambda = lambda;
      this.wantFirst = scope.needs(first);
      this.wantSecond = both && scope.needs(second);
      this.wantHead = scope.needs(head);
      this.wantSecondLogits = wantSecond || (both && wantHead);
      this.wide = first.dtype() == DType.F64 ? DType.F64 : DType.F32;
    }

    Value run(Scope scope) {
      DType dtype = first.dtype();
      DType compute = Matmul.computeType(first);
      try (Scope pass = scope.untaped()) {
        Tensor weight = Layout.as(pass, head, compute);
        Tensor toFirst = wantFirst ? pass.empty(dtype, first.shape()) : null;
        Tensor toSecond = wantSecond ? pass.empty(dtype, first.shape()) : null;
        Tensor toHead = wantHead ? pass.zeros(compute, head.shape()) : null;
        Tensor sums = CudaKernels.reach(weight) ? pass.empty(DType.F32, 2, labels.length) : null;
        long rows = chunkRows(head);
        for (long start = 0; start < labels.length; start += rows) {
          long count = Math.min(rows, labels.length - start);
          try (Scope chunk = pass.child()) {
            chunk(chunk, weight, start, count, sums, toFirst, toSecond, toHead);
          }
        }
        if (sums != null) {
          takeSums(sums);
        }
        Tensor total = scope.full(scale * (task + lambda * divergence), wide);
        if (wantFirst || wantSecond || wantHead) {
          record(
              scope,
              total,
              toFirst,
              toSecond,
              toHead == null ? null : Layout.as(pass, toHead, dtype));
        }
        return new Value(total, task, divergence);
      }
    }

    private void record(
        Scope scope,
        Tensor total,
        @Nullable Tensor toFirst,
        @Nullable Tensor toSecond,
        @Nullable Tensor toHead) {
      Tensor[] saved =
          Arrays.stream(new Tensor[] {toFirst, toSecond, toHead})
              .filter(t -> t != null)
              .toArray(Tensor[]::new);
      boolean firstThere = wantFirst;
      boolean secondThere = wantSecond;
      boolean headThere = wantHead;
      scope.record(
          total,
          new Tensor[] {first, second, head},
          saved,
          (s, kept, g) -> {
            double flow = g[0].item();
            @Nullable Tensor[] all = new Tensor[3];
            int at = 0;
            all[0] = firstThere ? scaled(s, kept[at++], flow) : null;
            all[1] = secondThere ? scaled(s, kept[at++], flow) : null;
            all[2] = headThere ? scaled(s, kept[at], flow) : null;
            return all;
          });
    }

    private void chunk(
        Scope s,
        Tensor weight,
        long start,
        long count,
        @Nullable Tensor sums,
        @Nullable Tensor toFirst,
        @Nullable Tensor toSecond,
        @Nullable Tensor toHead) {
      Tensor x1 = rows(s, first, start, count, weight.dtype());
      Tensor logits1 = Matmul.linear(s, x1, weight, null);
      Tensor x2 = second == null ? null : rows(s, second, start, count, weight.dtype());
      Tensor logits2 = x2 == null ? null : Matmul.linear(s, x2, weight, null);
      if (Kernels.take(logits1)) {
        long[] ids = Arrays.copyOfRange(labels, (int) start, (int) (start + count));
        fused(s, logits1, logits2, ids);
      } else if (sums != null) {
        fusedOnGpu(s, logits1, logits2, sums, start, count);
      } else {
        inBlocks(s, logits1, logits2, start, count);
      }
      if (wantFirst || wantHead) {
        give(s, logits1, weight, x1, start, count, toFirst, toHead);
      }
      if (wantSecondLogits && logits2 != null && x2 != null) {
        give(s, logits2, weight, x2, start, count, toSecond, toHead);
      }
    }

    /// Adds to the sums and overwrites logits with their gradients, by our own kernels.
    private void fused(Scope s, Tensor logits1, @Nullable Tensor logits2, long[] ids) {
      double[] tasks = new double[ids.length];
      double[] divergences = new double[ids.length];
      if (logits2 == null) {
        HeadLoss.crossEntropy(s, logits1, ids, wantFirst || wantHead, tasks);
      } else {
        HeadLoss.Wanted wanted =
            new HeadLoss.Wanted(lambda, oneWay, wantFirst || wantHead, wantSecondLogits);
        HeadLoss.withDivergence(s, logits1, logits2, ids, wanted, tasks, divergences);
      }
      task += Arrays.stream(tasks).sum();
      divergence += Arrays.stream(divergences).sum();
    }

    /// Does the same by our own kernels for GPUs, whose sums are read after the last chunk.
    private void fusedOnGpu(
        Scope s, Tensor logits1, @Nullable Tensor logits2, Tensor sums, long start, long count) {
      long[] chunk = Arrays.copyOfRange(labels, (int) start, (int) (start + count));
      Tensor ids = s.of(chunk, count);
      long tasks = sums.dataAddress() + start * DType.F32.bytes();
      CudaHeadLoss.Rows rows =
          new CudaHeadLoss.Rows(count, Math.toIntExact(head.size(0)), logits1.dtype());
      if (logits2 == null) {
        boolean gradient = wantFirst || wantHead;
        CudaHeadLoss.crossEntropy(logits1.dataAddress(), ids.dataAddress(), gradient, tasks, rows);
      } else {
        CudaHeadLoss.withDivergence(
            logits1.dataAddress(),
            logits2.dataAddress(),
            ids.dataAddress(),
            new HeadLoss.Wanted(lambda, oneWay, wantFirst || wantHead, wantSecondLogits),
            tasks,
            tasks + (long) labels.length * DType.F32.bytes(),
            rows);
      }
    }

    private void takeSums(Tensor sums) {
      float[] found = sums.toFloats();
      for (int i = 0; i < labels.length; i++) {
        task += found[i];
        divergence += second == null ? 0 : found[labels.length + i];
      }
    }

    /// Does the same by libtorch's operations, a few rows at a time.
    private void inBlocks(
        Scope s, Tensor logits1, @Nullable Tensor logits2, long start, long count) {
      long rows =
          head.device().isCuda()
              ? count
              : Shim.threads(s) * Math.max(1, BLOCK_ELEMENTS_PER_THREAD / head.size(0));
      for (long at = 0; at < count; at += rows) {
        long size = Math.min(rows, count - at);
        try (Scope block = s.child()) {
          int from = (int) (start + at);
          long[] ids = Arrays.copyOfRange(labels, from, (int) (from + size));
          Tensor z1 = Layout.narrow(block, logits1, 0, at, size);
          if (logits2 == null) {
            crossEntropy(block, z1, ids);
          } else {
            bothBranches(block, z1, Layout.narrow(block, logits2, 0, at, size), ids);
          }
        }
      }
    }

    /// Adds to the sum and overwrites logits with their gradient, p - 1 at the label and p
    /// elsewhere.
    private void crossEntropy(Scope s, Tensor logits, long[] ids) {
      Tensor logP = logProbabilities(s, logits);
      takeTask(s, logP, ids);
      if (wantFirst || wantHead) {
        Tensor gradient = wide(s, logits);
        EXP_OUT.run(s, logP, gradient);
        addAtLabels(s, gradient, ids, -1);
        put(logits, gradient);
      }
    }

    /// Adds to both sums and overwrites logits with their gradients.
    ///
    /// With q constant, the gradient of ½ (KL(p || q) + KL(q || p)) to the logits of p is ½ (p r -
    /// p sum(p r) + p - q), r = log p - log q. Since p - q sums to 0, that is what the backward of
    /// log-softmax makes of ½ (p r + p - q), as it makes the cross-entropy's of -1 at the label.
    /// One way it makes that of KL(p || q) of p r.
    private void bothBranches(Scope s, Tensor logits1, Tensor logits2, long[] ids) {
      Tensor logP1 = logProbabilities(s, logits1);
      Tensor logP2 = logProbabilities(s, logits2);
      takeTask(s, logP1, ids);
      Tensor p1 = EXP.call(s, logP1);
      Tensor p2 = EXP.call(s, logP2);
      Tensor ratio = Elementwise.sub(s, logP1, logP2);
      Tensor difference = Elementwise.sub(s, p1, p2);
      double sum = DOT.call(s, flat(s, oneWay ? p1 : difference), flat(s, ratio)).item();
      divergence += oneWay ? sum : 0.5 * sum;
      if (wantFirst || wantHead) {
        Tensor toLogP =
            oneWay
                ? Elementwise.scale(s, Elementwise.mul(s, p1, ratio), lambda)
                : divergenceToLogP(s, p1, ratio, difference, lambda / 2);
        addAtLabels(s, toLogP, ids, -1);
        throughLogSoftmax(s, logits1, toLogP, logP1);
      }
      if (wantSecondLogits) {
        Tensor toLogP = divergenceToLogP(s, p2, ratio, difference, -lambda / 2);
        throughLogSoftmax(s, logits2, toLogP, logP2);
      }
    }

    private static Tensor divergenceToLogP(
        Scope s, Tensor p, Tensor ratio, Tensor difference, double factor) {
      Tensor sum = Elementwise.add(s, Elementwise.mul(s, p, ratio), difference);
      return Elementwise.scale(s, sum, factor);
    }

    private void takeTask(Scope s, Tensor logP, long[] ids) {
      Tensor picked = Layout.gather(s, logP, s.of(ids, ids.length, 1));
      task -= Reduce.sum(s, picked).item();
    }

    private void addAtLabels(Scope s, Tensor x, long[] ids, double value) {
      Tensor[] places = {s.of(range(ids.length), ids.length), s.of(ids, ids.length)};
      INDEX_PUT_IN_PLACE.run(s, x, places, s.full(value, wide), true);
    }

    private void throughLogSoftmax(Scope s, Tensor logits, Tensor toLogP, Tensor logP) {
      Tensor gradient = wide(s, logits);
      LOG_SOFTMAX_BACKWARD.run(s, toLogP, logP, -1, wide, gradient);
      put(logits, gradient);
    }

    private Tensor logProbabilities(Scope s, Tensor logits) {
      return LOG_SOFTMAX.call(s, Layout.as(s, logits, wide), -1, false);
    }

    /// Returns the tensor itself, to be overwritten, or one of the wide type in its place.
    private Tensor wide(Scope s, Tensor logits) {
      return logits.dtype() == wide ? logits : s.empty(wide, logits.shape());
    }

    private static void put(Tensor logits, Tensor gradient) {
      if (gradient != logits) {
        Layout.copyInPlace(logits, gradient);
      }
    }

    private static Tensor flat(Scope s, Tensor x) {
      return Layout.reshape(s, x, x.elements());
    }

    private Tensor rows(Scope s, Tensor x, long start, long count, DType dtype) {
      return Layout.as(s, Layout.narrow(s, x, 0, start, count), dtype);
    }

    /// Hands the gradient of the logits on; the scale goes to the small results.
    private void give(
        Scope s,
        Tensor toLogits,
        Tensor weight,
        Tensor x,
        long start,
        long count,
        @Nullable Tensor toHidden,
        @Nullable Tensor toHead) {
      if (toHidden != null) {
        Tensor target = Layout.narrow(s, toHidden, 0, start, count);
        Layout.copyInPlace(target, Elementwise.scale(s, Matmul.matmul(s, toLogits, weight), scale));
      }
      if (toHead != null) {
        Matmul.addProductInPlace(s, toHead, scale, Layout.transpose(s, toLogits, 0, 1), x);
      }
    }

    private static long[] range(long count) {
      long[] values = new long[(int) count];
      for (int i = 0; i < values.length; i++) {
        values[i] = i;
      }
      return values;
    }
  }
}
