package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Losses of a language model's head, computed in chunks of rows so that the logits of all tokens
/// never exist at once. Logits, probabilities and sums are f32 (f64 for an f64 model).
public final class Loss {
  /// Logits of one chunk stay under this many elements: glibc maps and unmaps blocks of 32 MB and
  /// more on each use, which costs more than the arithmetic.
  private static final long CHUNK_ELEMENTS = 6_000_000;

  private static final Operator LOG_SOFTMAX = Operator.of("_log_softmax");
  private static final Operator EXP = Operator.of("exp");
  private static final Operator GATHER = Operator.of("gather");
  private static final Operator INDEX_PUT_IN_PLACE = Operator.of("index_put_");

  private Loss() {}

  /// The value of a loss and its parts.
  ///
  /// @param total what is differentiated, shape `()`
  /// @param task sum over rows of the cross-entropy of the first branch, in nats
  /// @param divergence sum over rows of half the bidirectional KL divergence, in nats; 0 with one
  ///   branch
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
    return compute(scope, hidden, null, head, labels, scale, 0, false);
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
    Checks.shape("hiddenkey loss", "second", second, first.shape());
    Checks.sameDType("hiddenkey loss", first, second);
    return compute(scope, first, second, head, labels, scale, lambda, both);
  }

  private static Value compute(
      Scope scope,
      Tensor first,
      @Nullable Tensor second,
      Tensor head,
      long[] labels,
      double scale,
      double lambda,
      boolean both) {
    Checks.rank("cross_entropy", "hidden", first, 2);
    Checks.rank("cross_entropy", "head", head, 2);
    Checks.floating("cross_entropy", first);
    Checks.sameDType("cross_entropy", first, head);
    if (first.size(1) != head.size(1) || first.size(0) != labels.length || labels.length == 0) {
      throw new ShapeException(
          "cross_entropy: found hidden %s, head %s, %d labels, expected (M, C), (V, C), M > 0"
              .formatted(first, head, labels.length));
    }
    long vocabulary = head.size(0);
    for (long label : labels) {
      if (label < 0 || label >= vocabulary) {
        throw new ShapeException(
            "cross_entropy: found label " + label + ", expected 0 to " + (vocabulary - 1));
      }
    }
    Chunks chunks = new Chunks(scope, first, second, head, labels, scale, lambda, both);
    return chunks.run(scope);
  }

  /// One pass over the rows, which leaves the gradients behind where they are wanted.
  private static final class Chunks {
    private final Tensor first;
    private final @Nullable Tensor second;
    private final Tensor head;
    private final long[] labels;
    private final double scale;
    private final double lambda;
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
        boolean both) {
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
      DType compute = Matmul.computeType(dtype);
      try (Scope pass = scope.untaped()) {
        Tensor weight = Layout.as(pass, head, compute);
        Tensor toFirst = wantFirst ? pass.empty(dtype, first.shape()) : null;
        Tensor toSecond = wantSecond ? pass.empty(dtype, first.shape()) : null;
        Tensor toHead = wantHead ? pass.zeros(compute, head.shape()) : null;
        long rows = Math.max(16, CHUNK_ELEMENTS / head.size(0));
        for (long start = 0; start < labels.length; start += rows) {
          long count = Math.min(rows, labels.length - start);
          try (Scope chunk = pass.child()) {
            chunk(chunk, weight, start, count, toFirst, toSecond, toHead);
          }
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

    private static Tensor scaled(Scope scope, Tensor x, double factor) {
      return factor == 1 ? x : Elementwise.scale(scope, x, factor);
    }

    private void chunk(
        Scope s,
        Tensor weight,
        long start,
        long count,
        @Nullable Tensor toFirst,
        @Nullable Tensor toSecond,
        @Nullable Tensor toHead) {
      Tensor x1 = rows(s, first, start, count, weight.dtype());
      Tensor lp1 = logProbabilities(s, x1, weight);
      Tensor ids = s.of(Arrays.copyOfRange(labels, (int) start, (int) (start + count)), count);
      task -= Reduce.sum(s, GATHER.call(s, lp1, 1, Layout.reshape(s, ids, count, 1), false)).item();
      boolean wanted = wantFirst || wantHead;
      Tensor p1 = wanted || second != null ? EXP.call(s, lp1) : null;
      Tensor toLogits2 = null;
      Tensor x2 = null;
      Tensor klToLogits1 = null;
      if (second != null && p1 != null) {
        x2 = rows(s, second, start, count, weight.dtype());
        Tensor lp2 = logProbabilities(s, x2, weight);
        Tensor p2 = EXP.call(s, lp2);
        Tensor logRatio = Elementwise.sub(s, lp1, lp2);
        Tensor difference = Elementwise.sub(s, p1, p2);
        divergence += 0.5 * Reduce.sum(s, Elementwise.mul(s, difference, logRatio)).item();
        if (wanted) {
          klToLogits1 = klGradient(s, p1, logRatio, difference, 1);
        }
        if (wantSecondLogits) {
          toLogits2 = klGradient(s, p2, logRatio, difference, -1);
        }
      }
      if (wanted && p1 != null) {
        Tensor minusOne = s.full(-1, wide);
        Tensor order = s.of(range(count), count);
        INDEX_PUT_IN_PLACE.run(s, p1, new Tensor[] {order, ids}, minusOne, true);
        Tensor sum =
            klToLogits1 == null
                ? p1
                : s.adopt(Shim.add(s, p1.handle(), klToLogits1.handle(), lambda));
        give(s, sum, scale, weight, x1, start, count, toFirst, toHead);
      }
      if (toLogits2 != null && x2 != null) {
        give(s, toLogits2, scale * lambda, weight, x2, start, count, toSecond, toHead);
      }
    }

    /// The gradient of `½ (KL(p || q) + KL(q || p))` to the logits of p, with q constant: `½ (p (d
    /// - sum(p d)) + p - q)`, d = log p - log q. `sign` turns the log ratio and the difference of
    /// (p1, p2) into those of (p2, p1).
    private static Tensor klGradient(
        Scope s, Tensor p, Tensor logRatio, Tensor difference, int sign) {
      Tensor weighted = Elementwise.mul(s, p, logRatio);
      Tensor mean = Reduce.sum(s, weighted, true, 1);
      Tensor centred = Elementwise.sub(s, weighted, Elementwise.mul(s, p, mean));
      return Elementwise.scale(s, Elementwise.add(s, centred, difference), 0.5 * sign);
    }

    private Tensor rows(Scope s, Tensor x, long start, long count, DType dtype) {
      return Layout.as(s, Layout.narrow(s, x, 0, start, count), dtype);
    }

    private Tensor logProbabilities(Scope s, Tensor x, Tensor weight) {
      Tensor logits = Matmul.linear(s, x, weight, null);
      Tensor result = LOG_SOFTMAX.call(s, Layout.as(s, logits, wide), -1, false);
      s.free(logits);
      return result;
    }

    /// Hands the gradient of the logits, times a factor, on: the factor goes to the small results.
    private static void give(
        Scope s,
        Tensor toLogits,
        double factor,
        Tensor weight,
        Tensor x,
        long start,
        long count,
        @Nullable Tensor toHidden,
        @Nullable Tensor toHead) {
      Tensor typed = Layout.as(s, toLogits, weight.dtype());
      if (toHidden != null) {
        Tensor target = Layout.narrow(s, toHidden, 0, start, count);
        Layout.copyInPlace(target, Elementwise.scale(s, Matmul.matmul(s, typed, weight), factor));
      }
      if (toHead != null) {
        Matmul.addProductInPlace(s, toHead, factor, Layout.transpose(s, typed, 0, 1), x);
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
