package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.Rope;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.kernel.cuda.CudaRope;

/// Token embedding and rotary positions.
public final class Embed {
  private static final Operator EMBEDDING = Operator.of("embedding");
  private static final Operator EMBEDDING_BACKWARD = Operator.of("embedding_dense_backward");
  private static final Operator ROLL = Operator.of("roll");

  private Embed() {}

  /// Looks up rows of a table.
  ///
  /// @param scope owner of the result
  /// @param table `(V, C)`
  /// @param ids i64 `(N)`, each below V
  /// @return `(N, C)`
  /// @throws dev.gatun.runtime.TorchException if an id is outside the table; on a GPU it is a
  ///   [ShapeException]
  public static Tensor embedding(Scope scope, Tensor table, Tensor ids) {
    Checks.rank("embedding", "table", table, 2);
    Checks.rank("embedding", "ids", ids, 1);
    if (ids.dtype() != DType.I64) {
      throw new DTypeException("embedding: ids: found " + ids + ", expected I64");
    }
    Checks.indices(scope, "embedding", ids, table.size(0));
    Tensor result = EMBEDDING.call(scope, table, ids, -1, false, false);
    if (scope.records(table)) {
      long size = table.size(0);
      scope.record(
          result,
          new Tensor[] {table},
          new Tensor[] {ids},
          (s, saved, g) ->
              new Tensor[] {EMBEDDING_BACKWARD.call(s, g[0], saved[0], size, -1, false)});
    }
    return result;
  }

  /// Rotates the halves of each head by its position's angles, as transformers'
  /// `apply_rotary_pos_emb`: x cos + rotate_half(x) sin.
  ///
  /// @param scope owner of the result
  /// @param x `(N, H, D)`
  /// @param cos `(N, 1, D)` of the type of `x`
  /// @param signedSin `(N, 1, D)`: minus the sine in the first half, the sine in the second
  /// @return `(N, H, D)`
  public static Tensor rope(Scope scope, Tensor x, Tensor cos, Tensor signedSin) {
    Checks.rank("rope", "x", x, 3);
    Checks.shape("rope", "cos", cos, x.size(0), 1, x.size(2));
    Checks.shape("rope", "sin", signedSin, x.size(0), 1, x.size(2));
    Checks.floating("rope", x);
    Checks.alike("rope", x, cos);
    Checks.alike("rope", x, signedSin);
    if (x.size(2) % 2 != 0) {
      throw new ShapeException("rope: found " + x + ", expected an even head size");
    }
    Tensor result = rotate(scope, x, cos, signedSin, 1);
    if (scope.records(x)) {
      // the inverse of a rotation is the rotation by the negative angle
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {cos, signedSin},
          (s, saved, g) -> new Tensor[] {rotate(s, g[0], saved[0], saved[1], -1)});
    }
    return result;
  }

  private static Tensor rotate(Scope scope, Tensor x, Tensor cos, Tensor signedSin, int sign) {
    if (Kernels.take(x, cos, signedSin) && Rope.takes(x.size(2))) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      Rope.rotate(scope, x, cos, signedSin, sign, result);
      return result;
    }
    if (CudaKernels.take(cos, signedSin) && CudaKernels.reach(x) && x.strides()[2] == 1) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      rotateOnGpu(x, cos, signedSin, sign, result);
      return result;
    }
    try (Scope block = scope.untaped()) {
      Tensor sine = sign < 0 ? Elementwise.scale(block, signedSin, -1) : signedSin;
      Tensor rolled = ROLL.call(block, x, new long[] {x.size(2) / 2}, new long[] {2});
      Tensor result = Elementwise.mul(block, x, cos);
      return scope.keep(Elementwise.add(block, result, Elementwise.mul(block, rolled, sine)));
    }
  }

  private static void rotateOnGpu(Tensor x, Tensor cos, Tensor signedSin, int sign, Tensor result) {
    int heads = Math.toIntExact(x.size(1));
    int size = Math.toIntExact(x.size(2));
    long[] strides = x.strides();
    CudaRope.rotate(
        new CudaRope.Heads(x.dataAddress(), strides[0], strides[1]),
        CudaRope.Heads.of(result.dataAddress(), heads, size),
        new CudaRope.Table(cos.dataAddress(), signedSin.dataAddress(), size, cos.dtype()),
        x.size(0),
        heads,
        size,
        sign,
        x.dtype());
  }
}
