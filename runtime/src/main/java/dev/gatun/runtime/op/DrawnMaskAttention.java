package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.kernel.cuda.AttentionArguments;
import dev.gatun.runtime.kernel.cuda.AttentionArguments.Backward;
import dev.gatun.runtime.kernel.cuda.AttentionArguments.KeyMask;
import dev.gatun.runtime.kernel.cuda.AttentionArguments.Rows;
import dev.gatun.runtime.kernel.cuda.CudaAttention;
import dev.gatun.runtime.kernel.cuda.CudaAttention.Kernel;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.random.SequenceMask;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Attention on a GPU by our own kernel, which draws the mask of keys itself: the mask is never in
/// memory. Sequences lie one after the other, without padding.
final class DrawnMaskAttention {
  /// Elements of 16 bytes, which the kernel reads at once.
  private static final long ALIGNED = 8;

  private DrawnMaskAttention() {}

  /// {@return whether the kernel computes these}
  static boolean takes(Tensor q, AttentionMask mask) {
    boolean half = q.dtype() == DType.BF16 || q.dtype() == DType.F16;
    return half
        && CudaKernels.reach(q)
        && CudaAttention.takes(q.size(2))
        && mask.sequences().stream().allMatch(DrawnMaskAttention::isColumn);
  }

  private static boolean isColumn(SequenceMask mask) {
    return !mask.drops()
        || (mask.shape() == SequenceMask.Shape.COLUMN
            && mask.kept() == 0
            && mask.dropped() == Float.NEGATIVE_INFINITY);
  }

  /// {@return `(N, H, D)`}
  ///
  /// @param scope owner of the result; records where it does
  /// @param q `(N, H, D)`
  /// @param k `(N, G, D)`
  /// @param v `(N, G, D)`
  /// @param mask of the batch; `causal` is the attention's own
  /// @param scale factor of the scores
  static Tensor attend(
      Scope scope, Tensor q, Tensor k, Tensor v, AttentionMask mask, double scale) {
    Ragged batch = mask.batch();
    CudaAttention attention =
        new CudaAttention(
            Math.toIntExact(q.size(2)), mask.causal(), CudaAttention.Masking.DRAWN, q.dtype());
    CudaAttention.Shape shape =
        new CudaAttention.Shape(
            batch.tokens(),
            batch.sequences(),
            batch.longest(),
            Math.toIntExact(q.size(1)),
            Math.toIntExact(k.size(1)));
    try (Scope block = scope.untaped()) {
      Tensor ownQ = aligned(block, q);
      Tensor ownK = aligned(block, k);
      Tensor ownV = aligned(block, v);
      Tensor offsets = batch.offsets(block);
      Tensor table = table(block, mask);
      Tensor result = scope.empty(q.dtype(), q.shape());
      Tensor lse = block.empty(DType.F32, q.size(1), q.size(0));
      attention.launch(
          Kernel.FORWARD,
          new AttentionArguments(
              rows(ownQ),
              rows(ownK),
              rows(ownV),
              rows(result),
              lse.dataAddress(),
              Backward.NONE,
              offsets.dataAddress(),
              new KeyMask(table.dataAddress(), 0, 0),
              (float) scale),
          shape);
      if (scope.records(q, k, v)) {
        scope.record(
            result,
            new Tensor[] {q, k, v},
            new Tensor[] {ownQ, ownK, ownV, result, lse, offsets, table},
            (s, saved, g) -> backward(s, saved, aligned(s, g[0]), attention, shape, scale));
      }
      return result;
    }
  }

  private static Tensor[] backward(
      Scope s,
      Tensor[] saved,
      Tensor flow,
      CudaAttention attention,
      CudaAttention.Shape shape,
      double scale) {
    Tensor[] gradients = new Tensor[3];
    for (int i = 0; i < 3; i++) {
      gradients[i] = s.empty(saved[i].dtype(), saved[i].shape());
    }
    Tensor delta = s.empty(DType.F32, saved[4].shape());
    AttentionArguments arguments =
        new AttentionArguments(
            rows(saved[0]),
            rows(saved[1]),
            rows(saved[2]),
            rows(saved[3]),
            saved[4].dataAddress(),
            new Backward(
                rows(flow),
                delta.dataAddress(),
                rows(gradients[0]),
                rows(gradients[1]),
                rows(gradients[2])),
            saved[5].dataAddress(),
            new KeyMask(saved[6].dataAddress(), 0, 0),
            (float) scale);
    for (Kernel kernel : List.of(Kernel.DELTA, Kernel.KEYS, Kernel.QUERIES)) {
      attention.launch(kernel, arguments, shape);
    }
    return gradients;
  }

  /// Returns the tensor, or a copy where the kernel cannot read it as it lies.
  private static Tensor aligned(Scope scope, Tensor x) {
    long[] strides = x.strides();
    boolean fits =
        strides[2] == 1
            && strides[0] % ALIGNED == 0
            && strides[1] % ALIGNED == 0
            && strides[0] <= Integer.MAX_VALUE
            && x.dataAddress() % (ALIGNED * Short.BYTES) == 0;
    return fits ? x : Layout.copy(scope, x);
  }

  private static Rows rows(Tensor x) {
    long[] strides = x.strides();
    return new Rows(x.dataAddress(), Math.toIntExact(strides[0]), Math.toIntExact(strides[1]));
  }

  private static Tensor table(Scope scope, AttentionMask mask) {
    int words = AttentionArguments.MASK_BYTES / Long.BYTES;
    long[] table = new long[mask.sequences().size() * words];
    MemorySegment segment = MemorySegment.ofArray(table);
    for (int i = 0; i < mask.sequences().size(); i++) {
      SequenceMask each = mask.sequences().get(i);
      AttentionArguments.writeMask(segment, i, each.stream(), each.row(), each.rate());
    }
    return scope.of(table, table.length);
  }
}
