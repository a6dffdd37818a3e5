package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.Softmax;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Attention as batched matrix products with a softmax between them, a block of queries at a time:
/// the fast way in bf16 and f16, whose products libtorch gives to oneDNN.
///
/// The heads that share a key head lie one after the other, so they are the rows of one matrix: r =
/// H / G of them, T queries each. Under a causal rule a block reads the keys up to its own end
/// alone. Probabilities are saved where they are no larger than keys and values, and computed again
/// for the gradient where they are.
///
/// @param blockElements scores of a block, about: so many that they stay in the processor's cache
///   until they are probabilities
record ProductAttention(long blockElements) implements Attention.Kernel {
  private static final int LEAST_QUERIES = 32;

  private static final Operator SOFTMAX = Operator.of("_softmax.out");
  private static final Operator SOFTMAX_BACKWARD = Operator.of("_softmax_backward_data.out");
  private static final Operator WITHOUT_NAN = Operator.of("nan_to_num");

  ProductAttention() {
    this(1 << 22);
  }

  @Override
  public Attention.Attended forward(
      Scope scope, Tensor q, Tensor k, Tensor v, Attention.Rule rule, boolean forGradient) {
    Sizes sizes = new Sizes(q.size(0), q.size(1), k.size(1), q.size(2), k.size(2), q.size(3));
    Pass pass =
        new Pass(
            sizes,
            rule,
            Layout.dense(scope, q),
            Layout.reshape(scope, k, sizes.batch(), sizes.s, sizes.d),
            Layout.reshape(scope, v, sizes.batch(), sizes.s, sizes.d));
    return pass.forward(scope, blocks(sizes, rule.causal()), forGradient);
  }

  @Override
  public Tensor[] backward(Scope scope, Tensor flow, Tensor[] saved, Attention.Rule rule) {
    Tensor q = saved[0];
    Tensor k = saved[1];
    Sizes sizes =
        new Sizes(q.size(0), q.size(1), k.size(0) / q.size(0), q.size(2), k.size(1), q.size(3));
    Pass pass = new Pass(sizes, rule, q, k, saved[2]);
    Tensor dense = Layout.dense(scope, flow);
    return pass.backward(
        scope, blocks(sizes, rule.causal()), dense, saved.length > 3 ? saved[3] : null);
  }

  private List<Block> blocks(Sizes sizes, boolean causal) {
    long fitting = blockElements / Math.max(1, sizes.b * sizes.h * sizes.s);
    long most = Math.max(LEAST_QUERIES, fitting / LEAST_QUERIES * LEAST_QUERIES);
    List<Block> blocks = new ArrayList<>();
    for (long start = 0; start < sizes.t; start += most) {
      long count = Math.min(most, sizes.t - start);
      blocks.add(new Block(start, count, causal ? sizes.s - sizes.t + start + count : sizes.s));
    }
    return blocks;
  }

  /// B sequences, H query heads, G key heads, T queries, S keys, D head size.
  private record Sizes(long b, long h, long g, long t, long s, long d) {
    long batch() {
      return b * g;
    }

    long shared() {
      return h / g;
    }
  }

  /// T' queries, which see S' keys at most.
  private record Block(long start, long count, long seen) {}

  /// What the blocks of one call share.
  ///
  /// @param q `(B, H, T, D)`, row-major as the others
  /// @param k `(B G, S, D)`
  /// @param v `(B G, S, D)`
  private record Pass(Sizes sizes, Attention.Rule rule, Tensor q, Tensor k, Tensor v) {
    Attention.Attended forward(Scope scope, List<Block> blocks, boolean forGradient) {
      boolean savesWeights = forGradient && blocks.size() == 1 && sizes.s <= 2 * sizes.d;
      List<Tensor> saved = new ArrayList<>(forGradient ? List.of(q, k, v) : List.of());
      Tensor output = scope.empty(q.dtype(), q.shape());
      for (Block block : blocks) {
        try (Scope inner = scope.child()) {
          Tensor weights = weights(inner, block);
          Tensor values = Layout.narrow(inner, v, 1, 0, block.seen);
          write(inner, output, block, rows -> Shim.bmm(rows, weights, values));
          if (savesWeights) {
            saved.add(scope.keep(weights));
          }
        }
      }
      return new Attention.Attended(output, saved.toArray(Tensor[]::new));
    }

    Tensor[] backward(Scope scope, List<Block> blocks, Tensor flow, @Nullable Tensor whole) {
      DType dtype = q.dtype();
      Tensor toQ = scope.empty(dtype, q.shape());
      KeySum toK = new KeySum(scope, sizes, dtype, blocks.size());
      KeySum toV = new KeySum(scope, sizes, dtype, blocks.size());
      for (Block block : blocks) {
        try (Scope inner = scope.child()) {
          Tensor weights = whole == null ? weights(inner, block) : whole;
          Tensor flowing = rows(inner, flow, block);
          toV.add(inner, weights, flowing, 1);
          Tensor toWeights = inner.empty(dtype, weights.shape());
          Tensor values = Layout.narrow(inner, v, 1, 0, block.seen);
          Shim.bmm(toWeights, flowing, Layout.transpose(inner, values, 1, 2));
          Tensor toScores = throughSoftmax(inner, toWeights, weights);
          Tensor keys = Layout.narrow(inner, k, 1, 0, block.seen);
          write(
              inner, toQ, block, rows -> Shim.baddbmm(rows, rows, toScores, keys, 0, rule.scale()));
          toK.add(inner, toScores, rows(inner, q, block), rule.scale());
        }
      }
      return new Tensor[] {toQ, toK.result(scope), toV.result(scope)};
    }

    private static Tensor throughSoftmax(Scope scope, Tensor flow, Tensor weights) {
      if (Kernels.take(flow, weights)) {
        Softmax.gradient(scope, flow, weights);
        return flow;
      }
      Tensor toScores = scope.empty(flow.dtype(), flow.shape());
      SOFTMAX_BACKWARD.run(scope, flow, weights, -1, flow.dtype(), toScores);
      return toScores;
    }

    /// Returns a block's rows of `(B, H, T, D)` as `(B G, r T', D)`.
    private Tensor rows(Scope scope, Tensor x, Block block) {
      Tensor part = Layout.narrow(scope, x, 2, block.start, block.count);
      return Layout.reshape(scope, part, sizes.batch(), sizes.shared() * block.count, sizes.d);
    }

    /// Lets a block's rows of `(B, H, T, D)` be written as `(B G, r T', D)`: where they lie if that
    /// can be, else in a copy.
    private void write(Scope scope, Tensor x, Block block, Consumer<Tensor> writer) {
      Tensor part = Layout.narrow(scope, x, 2, block.start, block.count);
      Tensor dense = part.isContiguous() ? part : scope.empty(x.dtype(), part.shape());
      writer.accept(
          Layout.reshape(scope, dense, sizes.batch(), sizes.shared() * block.count, sizes.d));
      if (dense != part) {
        Layout.copyInPlace(part, dense);
      }
    }

    /// Returns a block's attention weights, `(B G, r T', S')`.
    private Tensor weights(Scope scope, Block block) {
      DType dtype = q.dtype();
      long[] shape = {sizes.batch(), sizes.shared() * block.count, block.seen};
      Tensor scores = scope.empty(dtype, shape);
      if (Kernels.take(scores) && kernelReads(rule.mask())) {
        multiply(scope, scores, block, 0);
        int seen = Math.toIntExact(rule.causal() ? block.seen - block.count + 1 : block.seen);
        Softmax.attention(
            scope,
            scores,
            new Softmax.Attention(
                (int) sizes.h,
                (int) block.count,
                seen,
                rule.causal(),
                rule.mask(),
                (int) block.start));
        return scores;
      }
      Tensor bias = bias(scope, block, dtype);
      if (bias != null) {
        long[] byHead = {sizes.b, sizes.h, block.count, block.seen};
        Layout.copyInPlace(
            Layout.reshape(scope, scores, byHead), Layout.expand(scope, bias, byHead));
      }
      multiply(scope, scores, block, bias == null ? 0 : 1);
      Tensor weights = scope.empty(dtype, shape);
      SOFTMAX.run(scope, scores, -1, false, weights);
      // softmax divides 0 by 0 for a query that sees no key
      return rule.mask() == null ? weights : WITHOUT_NAN.call(scope, weights, 0.0, null, null);
    }

    private boolean kernelReads(@Nullable Tensor mask) {
      return mask == null || (Kernels.take(mask) && mask.size(3) == sizes.s);
    }

    /// Writes beta scores + scale q kᵀ.
    private void multiply(Scope scope, Tensor scores, Block block, double beta) {
      Tensor keys = Layout.narrow(scope, k, 1, 0, block.seen);
      Shim.baddbmm(
          scores,
          scores,
          rows(scope, q, block),
          Layout.transpose(scope, keys, 1, 2),
          beta,
          rule.scale());
    }

    /// Returns what is added to a block's scores, of a shape that broadcasts to `(B, H, T', S')`,
    /// or null for nothing.
    private @Nullable Tensor bias(Scope scope, Block block, DType dtype) {
      boolean looksAhead = rule.causal() && block.count > 1;
      Tensor future = looksAhead ? future(scope, dtype, block.count, block.seen) : null;
      Tensor mask = rule.mask();
      if (mask == null) {
        return future;
      }
      if (mask.size(2) > 1) {
        mask = Layout.narrow(scope, mask, 2, block.start, block.count);
      }
      if (mask.size(3) > 1) {
        mask = Layout.narrow(scope, mask, 3, 0, block.seen);
      }
      return future == null ? mask : Elementwise.add(scope, mask, future);
    }
  }

  /// Returns `(T, S)`: minus infinity where a key lies ahead of the query; the last query sees all.
  static Tensor future(Scope scope, DType dtype, long queries, long keys) {
    int count = Math.toIntExact(queries);
    int seen = Math.toIntExact(keys);
    float[] values = new float[Math.multiplyExact(count, seen)];
    for (int t = 0; t < count; t++) {
      int firstAhead = seen - count + t + 1;
      Arrays.fill(values, t * seen + firstAhead, (t + 1) * seen, Float.NEGATIVE_INFINITY);
    }
    return Layout.as(scope, scope.of(values, count, seen), dtype);
  }

  /// The gradient of keys or values, summed over the blocks of queries; in f32 where there are
  /// several.
  private static final class KeySum {
    private final Sizes sizes;
    private final DType dtype;
    private final boolean several;
    private final Tensor sum;

    KeySum(Scope owner, Sizes sizes, DType dtype, int blocks) {
      this.sizes = sizes;
      this.dtype = dtype;
      this.several = blocks > 1;
      long[] shape = {sizes.batch(), sizes.s, sizes.d};
      DType wide = dtype == DType.F64 ? DType.F64 : DType.F32;
      this.sum = several ? owner.zeros(wide, shape) : owner.empty(dtype, shape);
    }

    /// Adds scale leftᵀ right to the keys that a block sees.
    void add(Scope scope, Tensor left, Tensor right, double scale) {
      long seen = left.size(2);
      Tensor part = several ? scope.empty(dtype, sizes.batch(), seen, sizes.d) : sum;
      Tensor turned = Layout.transpose(scope, left, 1, 2);
      Shim.baddbmm(part, part, turned, right, 0, scale);
      if (several) {
        Tensor target = Layout.narrow(scope, sum, 1, 0, seen);
        Tensor more = Layout.as(scope, part, sum.dtype());
        Layout.copyInPlace(target, Elementwise.add(scope, target, more));
      }
    }

    /// Returns `(B, G, S, D)`.
    Tensor result(Scope scope) {
      return Layout.as(
          scope, Layout.reshape(scope, sum, sizes.b, sizes.g, sizes.s, sizes.d), dtype);
    }
  }
}
