package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Gpu;
import dev.gatun.runtime.internal.Operator;
import org.jspecify.annotations.Nullable;

/// Attention without a mask by libtorch's flash kernel for GPUs, over sequences as they lie, one
/// after the other, or by heads: no padding, and key heads are shared without copies.
final class GpuFlashAttention {
  private static final Operator FORWARD = Operator.of("_flash_attention_forward");
  private static final Operator BACKWARD = Operator.of("_flash_attention_backward");
  private static final long MOST_HEAD_SIZE = 256;

  private GpuFlashAttention() {}

  /// {@return whether the kernel computes these}
  static boolean takes(Tensor q, @Nullable Tensor mask) {
    boolean half = q.dtype() == DType.BF16 || q.dtype() == DType.F16;
    long size = q.size(-1);
    return mask == null && half && Gpu.holds(q) && size % 8 == 0 && size <= MOST_HEAD_SIZE;
  }

  /// {@return `(N, H, D)`}
  ///
  /// @param scope owner of the result; records where it does
  /// @param q `(N, H, D)`
  /// @param k `(N, G, D)`
  /// @param v `(N, G, D)`
  /// @param batch how the N tokens divide
  /// @param causal whether a query sees only keys up to its own position
  /// @param scale factor of the scores
  static Tensor attend(
      Scope scope, Tensor q, Tensor k, Tensor v, Ragged batch, boolean causal, double scale) {
    long longest = batch.longest();
    try (Scope block = scope.untaped()) {
      Tensor offsets = batch.offsets(block);
      @Nullable Tensor[] all =
          FORWARD.callAll(
              block, q, k, v, offsets, offsets, longest, longest, 0.0, causal, false, scale, null,
              null, null, null, null, null);
      Tensor result = scope.keep(Checks.defined(all[0]));
      if (scope.records(q, k, v)) {
        scope.record(
            result,
            new Tensor[] {q, k, v},
            new Tensor[] {
              q,
              k,
              v,
              result,
              Checks.defined(all[1]),
              offsets,
              Checks.defined(all[2]),
              Checks.defined(all[3])
            },
            (s, saved, g) ->
                BACKWARD.callAll(
                    s, g[0], saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[5],
                    longest, longest, 0.0, causal, saved[6], saved[7], scale, null, null));
      }
      return result;
    }
  }

  /// {@return attention of rows that lie by heads, `(B, H, T, D)`; nothing is recorded}
  ///
  /// @param scope owner of the result
  /// @param q `(B, H, T, D)`
  /// @param k `(B, G, S, D)`
  /// @param v `(B, G, S, D)`
  /// @param causal whether query t sees keys up to S - T + t alone
  /// @param scale factor of the scores
  static Tensor attendRows(
      Scope scope, Tensor q, Tensor k, Tensor v, boolean causal, double scale) {
    try (Scope block = scope.untaped()) {
      @Nullable Tensor[] all =
          FORWARD.callAll(
              block,
              Layout.transpose(block, q, 1, 2),
              Layout.transpose(block, k, 1, 2),
              Layout.transpose(block, v, 1, 2),
              null,
              null,
              q.size(2),
              k.size(2),
              0.0,
              causal,
              false,
              scale,
              null,
              null,
              null,
              null,
              null,
              null);
      return Layout.transpose(scope, Checks.defined(all[0]), 1, 2);
    }
  }
}
