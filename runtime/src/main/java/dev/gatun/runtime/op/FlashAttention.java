package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import org.jspecify.annotations.Nullable;

/// Attention by libtorch's own kernel for processors, which never holds all scores.
final class FlashAttention implements Attention.Kernel {
  private static final Operator FORWARD =
      Operator.of("_scaled_dot_product_flash_attention_for_cpu");
  private static final Operator BACKWARD =
      Operator.of("_scaled_dot_product_flash_attention_for_cpu_backward");

  @Override
  public Attention.Attended forward(
      Scope scope, Tensor q, Tensor k, Tensor v, Attention.Rule rule, boolean forGradient) {
    @Nullable Tensor[] all =
        FORWARD.callAll(scope, q, k, v, 0.0, rule.causal(), rule.mask(), rule.scale());
    Tensor output = all[0];
    Tensor logSumExp = all[1];
    if (output == null || logSumExp == null) {
      throw new AssertionError("attention left a result undefined");
    }
    Tensor[] saved = forGradient ? new Tensor[] {q, k, v, output, logSumExp} : new Tensor[0];
    return new Attention.Attended(output, saved);
  }

  @Override
  public @Nullable Tensor[] backward(
      Scope scope, Tensor flow, Tensor[] saved, Attention.Rule rule) {
    return BACKWARD.callAll(
        scope,
        flow,
        saved[0],
        saved[1],
        saved[2],
        saved[3],
        saved[4],
        0.0,
        rule.causal(),
        rule.mask(),
        rule.scale());
  }
}
