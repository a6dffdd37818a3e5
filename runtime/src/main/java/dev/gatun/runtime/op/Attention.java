package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Gpu;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Scaled dot-product attention with an additive mask, over a ragged batch.
///
/// A mask `(B, H, 1, S)` that drops whole keys costs nothing over no mask: it is added on the way.
/// A dropped key weighs exactly 0 and the kept weights sum to 1; a query without any key gives 0,
/// with zero gradients. Fewer key than query heads are shared by consecutive query heads
/// (grouped-query attention).
public final class Attention {
  private Attention() {}

  /// One way to compute attention, over rows of one length.
  interface Kernel {
    /// {@return attention of queries over keys, and what its gradient reads}
    ///
    /// @param scope owner of the result
    /// @param q `(B, H, T, D)`, any strides
    /// @param k `(B, G, S, D)`
    /// @param v `(B, G, S, D)`
    /// @param rule which keys a query sees
    /// @param forGradient whether a gradient will be asked for
    Attended forward(Scope scope, Tensor q, Tensor k, Tensor v, Rule rule, boolean forGradient);

    /// {@return the gradients of q, k and v}
    ///
    /// @param scope owner of the results
    /// @param flow gradient of the output, `(B, H, T, D)`, any strides
    /// @param saved as `forward` gave it
    /// @param rule as in `forward`
    @Nullable Tensor[] backward(Scope scope, Tensor flow, Tensor[] saved, Rule rule);
  }

  /// What a kernel returns.
  ///
  /// @param output `(B, H, T, D)`
  /// @param saved what its gradient reads; empty where none was asked for
  record Attended(Tensor output, Tensor[] saved) {}

  /// Which keys a query sees, and how scores are scaled.
  ///
  /// @param causal whether query t sees keys up to S - T + t alone
  /// @param mask added to the scaled scores, or null
  /// @param scale factor of the scores
  record Rule(boolean causal, @Nullable Tensor mask, double scale) {}

  /// How what stays of the attention weights is rescaled.
  public enum Rescaling {
    /// Not at all; a factor, such as 1 / (1 - p), may be in the factors themselves.
    NONE,
    /// Divided by its sum over the keys.
    NORMALISED,
    /// Divided by its sum, which the gradient takes as constant.
    NORMALISED_CONSTANT
  }

  /// Factors of the attention weights, after the softmax.
  ///
  /// @param factors `(B, H, 1, T)` or `(B, H, T, T)`, f32; 0 for a dropped weight
  /// @param rescaling what is done to the others
  public record WeightFactors(Tensor factors, Rescaling rescaling) {}

  /// libtorch's flash kernel for processors is fast in f32 and f64. In bf16 and f16 it multiplies
  /// without the processor's instructions for them in a build without MKL, and slowly with it.
  private static Kernel kernel(Tensor q, DType compute) {
    if (Gpu.holds(q)) {
      return GpuAttention.takes(q) ? new GpuAttention() : new ProductAttention();
    }
    return compute == DType.F32 || compute == DType.F64
        ? new FlashAttention()
        : new ProductAttention();
  }

  /// {@return attention of each sequence over itself}
  ///
  /// | name | shape | dtype |
  /// |---|---|---|
  /// | `q` | `(N, H, D)` | f32, f64, bf16, f16 |
  /// | `k`, `v` | `(N, G, D)`, G divides H | as `q` |
  /// | `mask` | `(B, H, 1, T)`, `(B, H, T, T)` or `(1, 1, T, T)`, 0 or minus infinity | f32, or as `q` |
  /// | result | `(N, H, D)` | as `q` |
  ///
  /// @param scope owner of the result
  /// @param q queries
  /// @param k keys
  /// @param v values
  /// @param batch how the N tokens divide; B sequences, the longest of T tokens
  /// @param causal whether a query sees only keys up to its own position
  /// @param mask added to the scaled scores, or null
  /// @param scale factor of the scores, usually 1 / sqrt(D)
  /// @throws ShapeException if sizes do not fit together
  public static Tensor attend(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      Ragged batch,
      boolean causal,
      @Nullable Tensor mask,
      double scale) {
    DType compute = Matmul.computeType(q);
    return attend(scope, q, k, v, batch, causal, mask, scale, compute, kernel(q, compute));
  }

  /// {@return attention of each sequence over itself, with keys dropped by a mask that is drawn on
  /// the way}
  ///
  /// @param scope owner of the result
  /// @param q queries, as in [#attend(Scope, Tensor, Tensor, Tensor, Ragged, boolean, Tensor,
  ///   double)]
  /// @param k keys
  /// @param v values
  /// @param mask minus infinity for a dropped key, 0 for a kept one; it knows how the N tokens
  ///   divide, and whether a query sees only keys up to its own position
  /// @param scale factor of the scores
  /// @throws ShapeException if sizes do not fit together
  public static Tensor dropKey(
      Scope scope, Tensor q, Tensor k, Tensor v, AttentionMask mask, double scale) {
    Checks.rank("attention", "q", q, 3);
    Checks.rank("attention", "k", k, 3);
    check(q, k, v);
    checkTokens(q, mask.batch());
    if (DrawnMaskAttention.takes(q, mask)) {
      return DrawnMaskAttention.attend(scope, q, k, v, mask, scale);
    }
    Ragged batch = mask.batch();
    try (Scope block = scope.child()) {
      Tensor drawn = mask.draw(block);
      if (!mask.causal() && !batch.isUniform()) {
        long[] ends = {batch.sequences(), 1, 1, batch.longest()};
        drawn = Elementwise.add(block, drawn, Layout.reshape(block, batch.pastEnds(block), ends));
      }
      return scope.keep(attend(block, q, k, v, batch, mask.causal(), drawn, scale));
    }
  }

  /// {@return attention of each sequence over itself, its weights times factors}
  ///
  /// Masks of weights cannot ride a fused kernel: the weights of a sequence are computed, and again
  /// for the gradient, in f32 where the tensors are narrower. Sources: DropAttention,
  /// arXiv:1907.11065; arXiv:2403.00812, equations 1 and 2.
  ///
  /// @param scope owner of the result
  /// @param q queries, as in [#attend(Scope, Tensor, Tensor, Tensor, Ragged, boolean, Tensor,
  ///   double)]
  /// @param k keys
  /// @param v values
  /// @param batch how the N tokens divide
  /// @param causal whether a query sees only keys up to its own position
  /// @param mask added to the scaled scores, or null
  /// @param scale factor of the scores
  /// @param weights the factors; a query all of whose weights are 0 gives 0
  /// @throws ShapeException if sizes do not fit together
  public static Tensor attend(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      Ragged batch,
      boolean causal,
      @Nullable Tensor mask,
      double scale,
      WeightFactors weights) {
    DType compute = q.dtype() == DType.F64 ? DType.F64 : DType.F32;
    long longest = batch.longest();
    checkMask(weights.factors, batch.sequences(), q.size(1), longest, longest);
    try (Scope block = scope.child()) {
      Tensor factors = Layout.as(block, weights.factors, compute);
      Kernel kernel = new WeightedAttention(factors, weights.rescaling);
      return scope.keep(attend(block, q, k, v, batch, causal, mask, scale, compute, kernel));
    }
  }

  /// {@return attention weights from scores: their softmax over the keys, times factors}
  ///
  /// For attention whose scores are more than the products of queries and keys; otherwise [#attend]
  /// needs less memory. A query that sees no key, or all of whose weights are 0, gives 0.
  ///
  /// @param scope owner of the result
  /// @param scores `(B, H, T, S)` of a floating type, scaled and masked
  /// @param weights the factors, `(B, H, T, S)` or sizes of 1 in their place
  /// @throws ShapeException if sizes do not fit together
  public static Tensor weights(Scope scope, Tensor scores, WeightFactors weights) {
    Checks.rank("attention", "scores", scores, 4);
    Checks.floating("attention", scores);
    checkMask(weights.factors, scores.shape());
    return WeightedAttention.weights(scope, scores, weights);
  }

  private static Tensor attend(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      Ragged batch,
      boolean causal,
      @Nullable Tensor mask,
      double scale,
      DType compute,
      Kernel kernel) {
    Checks.rank("attention", "q", q, 3);
    Checks.rank("attention", "k", k, 3);
    check(q, k, v);
    checkTokens(q, batch);
    if (!causal && !batch.isUniform() && mask == null) {
      throw new ShapeException(
          "attention: sequences of different lengths that see forward need a mask");
    }
    checkMask(mask, batch.sequences(), q.size(1), batch.longest(), batch.longest());
    if (!(kernel instanceof WeightedAttention) && GpuFlashAttention.takes(q, mask)) {
      return GpuFlashAttention.attend(scope, q, k, v, batch, causal, scale);
    }
    DType dtype = q.dtype();
    boolean records = scope.records(q, k, v);
    try (Scope block = scope.untaped()) {
      Tensor padQ = batch.pad(block, Layout.as(block, q, compute));
      Tensor padK = batch.pad(block, Layout.as(block, k, compute));
      Tensor padV = batch.pad(block, Layout.as(block, v, compute));
      Tensor typed = mask == null ? null : Layout.as(block, mask, compute);
      Rule rule = new Rule(causal, typed, scale);
      Attended attended = kernel.forward(block, padQ, padK, padV, rule, records);
      Tensor result = scope.keep(Layout.as(block, batch.unpad(block, attended.output()), dtype));
      if (records) {
        int count = attended.saved().length;
        Tensor[] saved = Arrays.copyOf(attended.saved(), typed == null ? count : count + 1);
        if (typed != null) {
          saved[count] = typed;
        }
        scope.record(
            result,
            new Tensor[] {q, k, v},
            saved,
            (s, kept, g) -> {
              Tensor flow = batch.padWithZeros(s, Layout.as(s, g[0], compute));
              Rule same = new Rule(causal, kept.length > count ? kept[count] : null, scale);
              @Nullable Tensor[] grads = kernel.backward(s, flow, Arrays.copyOf(kept, count), same);
              @Nullable Tensor[] flat = new Tensor[3];
              for (int i = 0; i < 3; i++) {
                Tensor gradient = grads[i];
                if (gradient != null) {
                  flat[i] = Layout.as(s, batch.unpad(s, gradient), dtype);
                }
              }
              return flat;
            });
      }
      return result;
    }
  }

  /// {@return attention of a generation's new tokens over all tokens of their sequences, whose keys
  /// and values lie in pages; nothing is recorded}
  ///
  /// | name | shape | dtype |
  /// |---|---|---|
  /// | `q` | `(N, H, D)` | f32, f64, bf16, f16 |
  /// | `k`, `v` | `(N, G, D)`, G divides H | as `q` |
  /// | `keys`, `values` | `(pages, G, P, D)`, row-major | as `q` |
  /// | result | `(N, H, D)` | as `q` |
  ///
  /// A query sees the keys up to its own position, or the last `window` of them.
  ///
  /// @param scope owner of the result
  /// @param q queries of the new tokens
  /// @param k their keys, which are written into their pages first
  /// @param v their values, likewise
  /// @param keys pages of keys
  /// @param values pages of values
  /// @param table where the tokens stand
  /// @param window how many keys a query sees, itself included; 0 for all
  /// @param scale factor of the scores, usually 1 / sqrt(D)
  /// @throws ShapeException if sizes do not fit together
  public static Tensor attendPages(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor keys,
      Tensor values,
      PageTable table,
      int window,
      double scale) {
    Checks.rank("attention", "q", q, 3);
    Checks.rank("attention", "k", k, 3);
    check(q, k, v);
    checkTokens(q, table.batch());
    Checks.alike("attention", q, keys);
    Checks.alike("attention", q, values);
    Checks.rank("attention", "keys", keys, 4);
    Checks.shape("attention", "keys", keys, keys.size(0), k.size(1), table.page(), k.size(2));
    Checks.shape("attention", "values", values, keys.shape());
    table.check(keys);
    PagedAttention paged = new PagedAttention(table, window, scale);
    paged.write(scope, keys, k);
    paged.write(scope, values, v);
    return paged.attend(scope, q, k, v, keys, values);
  }

  /// Returns attention of rows that lie by heads, without a gradient.
  ///
  /// @param q `(B, H, T, D)`
  /// @param k `(B, G, S, D)`
  /// @param v `(B, G, S, D)`
  /// @param causal whether query t sees keys up to S - T + t; S equals T except on a GPU
  /// @param mask added to the scores: `(B, H, T, S)` or sizes of 1 that are broadcast; or null
  /// @return `(B, H, T, D)`
  static Tensor attendRows(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      boolean causal,
      @Nullable Tensor mask,
      double scale) {
    if (GpuFlashAttention.takes(q, mask)) {
      return GpuFlashAttention.attendRows(scope, q, k, v, causal, scale);
    }
    DType dtype = q.dtype();
    DType compute = Matmul.computeType(q);
    try (Scope block = scope.untaped()) {
      Tensor typed = mask == null ? null : Layout.as(block, mask, compute);
      Attended attended =
          kernel(q, compute)
              .forward(
                  block,
                  Layout.as(block, q, compute),
                  Layout.as(block, k, compute),
                  Layout.as(block, v, compute),
                  new Rule(causal, typed, scale),
                  false);
      return scope.keep(Layout.as(block, attended.output(), dtype));
    }
  }

  /// Checks that there is a key of each query's token, one head size, and a divisor of the heads.
  private static void check(Tensor q, Tensor k, Tensor v) {
    Checks.floating("attention", q);
    Checks.alike("attention", q, k);
    Checks.alike("attention", q, v);
    Checks.shape("attention", "v", v, k.shape());
    long groups = k.size(1);
    if (k.size(0) != q.size(0)
        || k.size(-1) != q.size(-1)
        || groups == 0
        || q.size(1) % groups != 0) {
      throw new ShapeException(
          "attention: found q "
              + q
              + ", k "
              + k
              + ", expected equal batch and head size, and key heads that divide the query heads");
    }
  }

  private static void checkTokens(Tensor q, Ragged batch) {
    if (q.size(0) != batch.tokens()) {
      throw new ShapeException(
          "attention: q: found " + q + ", expected " + batch.tokens() + " tokens");
    }
  }

  /// The kernel reads a mask unchecked.
  private static void checkMask(@Nullable Tensor mask, long... full) {
    if (mask == null) {
      return;
    }
    Checks.floating("attention", mask);
    boolean fits = mask.rank() == full.length;
    for (int i = 0; fits && i < full.length; i++) {
      fits = mask.size(i) == full[i] || mask.size(i) == 1;
    }
    if (!fits) {
      throw new ShapeException(
          "attention: mask: found "
              + mask
              + ", expected "
              + Shapes.text(full)
              + " or sizes of 1 in their place");
    }
  }
}
