package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import org.jspecify.annotations.Nullable;

/// A weight as 8-bit integers with a scale for each output: the largest magnitude of its row is
/// 127.
///
/// Few rows go through libtorch's `_weight_int8pack_mm`, which computes in bf16; for more of them
/// the weight is made whole again. Source of the scheme: gpt-fast, `quantize.py`.
final class Int8Weight extends FrozenWeight {
  private static final Operator ABS = Operator.of("abs");
  private static final Operator ROUND = Operator.of("round");
  private static final Operator PRODUCT = Operator.of("_weight_int8pack_mm");
  private static final double LARGEST = 127;

  /// libtorch's kernel takes a row at a time.
  private static final long FEW_ROWS = 16;

  /// It reads beyond rows that are no multiple of this.
  private static final long WHOLE = 32;

  /// Elements that are made integers at a time.
  private static final long AT_ONCE = 1 << 22;

  /// Keeps rows of zeros from being divided by zero.
  private static final double LEAST_SCALE = 1e-30;

  private final Tensor integers; // (O, I)
  private final Tensor scales; // bf16 (O)

  private Int8Weight(Tensor weight, Tensor integers, Tensor scales) {
    super(weight);
    this.integers = integers;
    this.scales = scales;
  }

  static Int8Weight of(Scope scope, Tensor w) {
    long outputs = w.size(0);
    long inputs = w.size(1);
    Tensor integers = scope.empty(DType.I8, outputs, inputs);
    Tensor scales = scope.full(1, DType.BF16, outputs);
    long step = Math.max(1, AT_ONCE / Math.max(1, inputs));
    for (long start = 0; inputs > 0 && start < outputs; start += step) {
      long count = Math.min(step, outputs - start);
      try (Scope block = scope.untaped()) {
        Tensor rows = Layout.to(block, Layout.narrow(block, w, 0, start, count), DType.F32);
        Tensor largest = Reduce.max(block, ABS.call(block, rows), 1); // (count, 1)
        Tensor exact =
            Elementwise.add(
                block,
                Elementwise.scale(block, largest, 1 / LARGEST),
                block.full(LEAST_SCALE, DType.F32, 1));
        Tensor scale = Layout.to(block, exact, DType.BF16);
        Tensor steps = Elementwise.div(block, rows, Layout.to(block, scale, DType.F32));
        Layout.copyInPlace(
            Layout.narrow(block, integers, 0, start, count), ROUND.call(block, steps));
        Layout.copyInPlace(
            Layout.narrow(block, scales, 0, start, count), Layout.reshape(block, scale, count));
      }
    }
    return new Int8Weight(w, integers, scales);
  }

  @Override
  Tensor product(Scope block, Tensor x, @Nullable Tensor bias) {
    Tensor sum;
    if (x.size(0) <= FEW_ROWS && x.size(1) % WHOLE == 0 && x.elements() > 0) {
      Tensor narrow = Layout.as(block, x, DType.BF16);
      Tensor product = PRODUCT.call(block, Layout.dense(block, narrow), integers, scales);
      sum = Layout.as(block, product, x.dtype());
    } else {
      Tensor whole = Layout.to(block, integers, x.dtype());
      Tensor product = Matmul.linear(block, x, whole, null);
      sum = Elementwise.mul(block, product, Layout.as(block, scales, x.dtype()));
    }
    return bias == null ? sum : Elementwise.add(block, sum, Layout.as(block, bias, x.dtype()));
  }
}
