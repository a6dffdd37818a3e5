package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import org.jspecify.annotations.Nullable;

/// Scaled dot-product attention with an additive mask, over a ragged batch.
///
/// A mask `(B, H, 1, S)` that drops whole keys costs nothing over no mask: libtorch's flash kernel
/// adds it on the way. A dropped key weighs exactly 0 and the kept weights sum to 1; a query
/// without any key gives 0, with zero gradients. Fewer key than query heads are shared by
/// consecutive query heads (grouped-query attention).
public final class Attention {
  private static final Operator FLASH = Operator.of("_scaled_dot_product_flash_attention_for_cpu");
  private static final Operator FLASH_BACKWARD =
      Operator.of("_scaled_dot_product_flash_attention_for_cpu_backward");

  private Attention() {}

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
    Checks.rank("attention", "q", q, 3);
    Checks.rank("attention", "k", k, 3);
    check(q, k, v);
    if (q.size(0) != batch.tokens()) {
      throw new ShapeException(
          "attention: q: found " + q + ", expected " + batch.tokens() + " tokens");
    }
    if (!causal && !batch.isUniform() && mask == null) {
      throw new ShapeException(
          "attention: sequences of different lengths that see forward need a mask");
    }
    checkMask(mask, batch.sequences(), q.size(1), batch.longest(), batch.longest());
    DType dtype = q.dtype();
    DType compute = Matmul.computeType(dtype);
    try (Scope block = scope.untaped()) {
      Tensor padQ = batch.pad(block, Layout.as(block, q, compute));
      Tensor padK = batch.pad(block, Layout.as(block, k, compute));
      Tensor padV = batch.pad(block, Layout.as(block, v, compute));
      Tensor typed = mask == null ? null : Layout.as(block, mask, compute);
      Tensor[] outLse = flash(block, padQ, padK, padV, causal, typed, scale);
      Tensor result = scope.keep(Layout.as(block, batch.unpad(block, outLse[0]), dtype));
      if (scope.records(q, k, v)) {
        Tensor[] saved =
            typed == null
                ? new Tensor[] {padQ, padK, padV, outLse[0], outLse[1]}
                : new Tensor[] {padQ, padK, padV, outLse[0], outLse[1], typed};
        scope.record(
            result,
            new Tensor[] {q, k, v},
            saved,
            (s, kept, g) -> {
              Tensor flow = batch.padWithZeros(s, Layout.as(s, g[0], compute));
              @Nullable Tensor[] grads =
                  FLASH_BACKWARD.callAll(
                      s,
                      flow,
                      kept[0],
                      kept[1],
                      kept[2],
                      kept[3],
                      kept[4],
                      0.0,
                      causal,
                      kept.length > 5 ? kept[5] : null,
                      scale);
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

  /// Returns attention of new queries over a cache of keys; for generation, without a gradient.
  ///
  /// @param scope owner of the result
  /// @param q `(B, H, T, D)`
  /// @param k `(B, G, S, D)`
  /// @param v `(B, G, S, D)`
  /// @param causal whether query t sees keys up to t; only right where T equals S
  /// @param mask added to the scores: `(B, H, T, S)` or sizes of 1 that are broadcast; or null
  /// @param scale factor of the scores
  /// @return `(B, H, T, D)`
  /// @throws ShapeException if sizes do not fit together
  public static Tensor attendCache(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      boolean causal,
      @Nullable Tensor mask,
      double scale) {
    Checks.rank("attention", "q", q, 4);
    Checks.rank("attention", "k", k, 4);
    check(q, k, v);
    if (causal && q.size(2) != k.size(2)) {
      throw new ShapeException(
          "attention: found q " + q + ", k " + k + ", expected equal tokens where it is causal");
    }
    checkMask(mask, q.size(0), q.size(1), q.size(2), k.size(2));
    DType dtype = q.dtype();
    DType compute = Matmul.computeType(dtype);
    try (Scope block = scope.untaped()) {
      Tensor typed = mask == null ? null : Layout.as(block, mask, compute);
      Tensor[] outLse =
          flash(
              block,
              Layout.as(block, q, compute),
              Layout.as(block, k, compute),
              Layout.as(block, v, compute),
              causal,
              typed,
              scale);
      return scope.keep(Layout.as(block, outLse[0], dtype));
    }
  }

  private static Tensor[] flash(
      Scope scope,
      Tensor q,
      Tensor k,
      Tensor v,
      boolean causal,
      @Nullable Tensor mask,
      double scale) {
    @Nullable Tensor[] all = FLASH.callAll(scope, q, k, v, 0.0, causal, mask, scale);
    Tensor out = all[0];
    Tensor lse = all[1];
    if (out == null || lse == null) {
      throw new AssertionError("attention left a result undefined");
    }
    return new Tensor[] {out, lse};
  }

  /// Checks what all layouts have in common: one size of the batch, one head size, a divisor of the
  /// heads.
  private static void check(Tensor q, Tensor k, Tensor v) {
    Checks.floating("attention", q);
    Checks.sameDType("attention", q, k);
    Checks.sameDType("attention", q, v);
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
