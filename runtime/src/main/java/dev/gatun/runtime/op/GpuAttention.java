package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Attention by libtorch's memory-efficient kernel for GPUs, which takes a mask and never holds all
/// scores.
final class GpuAttention implements Attention.Kernel {
  private static final Operator FORWARD = Operator.of("_scaled_dot_product_efficient_attention");
  private static final Operator BACKWARD =
      Operator.of("_scaled_dot_product_efficient_attention_backward");
  private static final Operator WITHOUT_NAN = Operator.of("nan_to_num");

  /// The kernel reads rows of a mask from addresses that are multiples of this many elements.
  private static final long MASK_ALIGNMENT = 16;

  /// {@return whether the kernel computes heads of this size, which it reads 16 bytes at once}
  static boolean takes(Tensor q) {
    return q.dtype() != DType.F64 && q.size(-1) * q.dtype().bytes() % 16 == 0;
  }

  @Override
  public Attention.Attended forward(
      Scope scope, Tensor q, Tensor k, Tensor v, Attention.Rule rule, boolean forGradient) {
    long heads = q.size(1);
    Tensor eachK = forEachHead(scope, k, heads);
    Tensor eachV = forEachHead(scope, v, heads);
    Tensor mask = rule.mask();
    Tensor bias = mask == null ? null : bias(scope, mask, q, k);
    @Nullable Tensor[] all =
        FORWARD.callAll(
            scope, q, eachK, eachV, bias, forGradient, 0.0, rule.causal(), rule.scale());
    Tensor raw = Checks.defined(all[0]);
    // a query that sees no key divides 0 by 0
    Tensor output = bias == null ? raw : WITHOUT_NAN.call(scope, raw, 0.0, null, null);
    if (!forGradient) {
      return new Attention.Attended(output, new Tensor[0]);
    }
    return new Attention.Attended(
        output,
        new Tensor[] {
          q, k, v, output, Checks.defined(all[1]), Checks.defined(all[2]), Checks.defined(all[3])
        });
  }

  @Override
  public @Nullable Tensor[] backward(
      Scope scope, Tensor flow, Tensor[] saved, Attention.Rule rule) {
    Tensor q = saved[0];
    Tensor k = saved[1];
    long heads = q.size(1);
    Tensor mask = rule.mask();
    // the operator takes no absent bias
    Tensor bias =
        bias(scope, mask == null ? scope.zeros(q.dtype(), 1, 1, 1, k.size(2)) : mask, q, k);
    @Nullable Tensor[] all =
        BACKWARD.callAll(
            scope,
            flow,
            q,
            forEachHead(scope, k, heads),
            forEachHead(scope, saved[2], heads),
            bias,
            saved[3],
            saved[4],
            saved[5],
            saved[6],
            0.0,
            new boolean[] {true, true, true, false},
            rule.causal(),
            rule.scale());
    Tensor[] gradients = {
      Checks.defined(all[0]),
      ofGroups(scope, Checks.defined(all[1]), k),
      ofGroups(scope, Checks.defined(all[2]), k)
    };
    if (mask != null) {
      for (int i = 0; i < gradients.length; i++) {
        gradients[i] = WITHOUT_NAN.call(scope, gradients[i], 0.0, null, null);
      }
    }
    return gradients;
  }

  /// Returns `(B, H, S, D)` from `(B, G, S, D)`: keys or values once for each query head.
  private static Tensor forEachHead(Scope scope, Tensor x, long heads) {
    long[] shape = x.shape();
    long groups = shape[1];
    if (groups == heads) {
      return x;
    }
    long[] strides = x.strides();
    Tensor repeated =
        Layout.view(
            scope,
            x,
            new long[] {shape[0], groups, heads / groups, shape[2], shape[3]},
            new long[] {strides[0], strides[1], 0, strides[2], strides[3]});
    return Layout.reshape(scope, repeated, shape[0], heads, shape[2], shape[3]);
  }

  /// Returns the gradient `(B, G, S, D)` from that of each query head's copy.
  private static Tensor ofGroups(Scope scope, Tensor x, Tensor like) {
    if (x.size(1) == like.size(1)) {
      return x;
    }
    long[] shape = like.shape();
    Tensor grouped =
        Layout.reshape(scope, x, shape[0], shape[1], x.size(1) / shape[1], shape[2], shape[3]);
    Tensor sum = Reduce.sum(scope, Layout.as(scope, grouped, DType.F32), false, 2);
    return Layout.as(scope, sum, x.dtype());
  }

  /// Returns the mask as the kernel reads it: of all sizes, its rows aligned.
  private static Tensor bias(Scope scope, Tensor mask, Tensor q, Tensor k) {
    long keys = k.size(2);
    long width = (keys + MASK_ALIGNMENT - 1) / MASK_ALIGNMENT * MASK_ALIGNMENT;
    long[] shape = mask.shape();
    shape[3] = width;
    Tensor aligned = Layout.narrow(scope, scope.empty(q.dtype(), shape), 3, 0, keys);
    long[] of = aligned.shape();
    Layout.copyInPlace(aligned, Layout.expand(scope, Layout.as(scope, mask, q.dtype()), of));
    long[] full = {q.size(0), q.size(1), q.size(2), keys};
    return Arrays.equals(of, full) ? aligned : Layout.expand(scope, aligned, full);
  }
}
