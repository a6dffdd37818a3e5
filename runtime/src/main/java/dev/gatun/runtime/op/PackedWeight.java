package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import org.jspecify.annotations.Nullable;

/// A weight with a copy in oneDNN's blocked order, which a plain product makes anew at each call.
/// Source: `torch/csrc/inductor`'s use of the two operators, and ATen's `native/mkldnn/Linear.cpp`.
final class PackedWeight extends FrozenWeight {
  private static final Operator REORDER =
      Operator.registered(
          "mkldnn::_reorder_linear_weight(Tensor self, int? batch_size=None) -> Tensor");

  /// The order is chosen for so many rows; others are as fast.
  private static final long ROWS = 64;

  private final Tensor packed; // opaque: only oneDNN reads it

  private PackedWeight(Tensor weight, Tensor packed) {
    super(weight);
    this.packed = packed;
  }

  /// Returns whether a weight has such an order, and its products are large enough to gain by it.
  static boolean takes(Tensor w) {
    return (w.dtype() == DType.F32 || w.dtype() == DType.BF16)
        && Matmul.computeType(w) == w.dtype()
        && !w.device().isCuda()
        && Shim.hasOneDnnLinear()
        && w.elements() > Matmul.SMALL_MATRIX;
  }

  static PackedWeight of(Scope scope, Tensor w) {
    return new PackedWeight(w, REORDER.callOpaque(scope, w.dtype(), w.shape(), w, ROWS));
  }

  @Override
  Tensor product(Scope block, Tensor x, @Nullable Tensor bias) {
    boolean few = x.size(0) <= 1;
    if (few && Matmul.isForFewRows(x, weight(), Layout.transpose(block, weight(), 0, 1))) {
      return Matmul.linear(block, x, weight(), bias);
    }
    Tensor added = bias == null ? null : Layout.as(block, bias, x.dtype());
    return block.adopt(
        Shim.linear(block, x.handle(), packed.handle(), added == null ? null : added.handle()),
        x.dtype(),
        x.size(0),
        weight().size(0));
  }
}
