package dev.gatun.models.zoo;

import dev.gatun.models.nn.EncoderAttention;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Ragged;
import org.jspecify.annotations.Nullable;

/// DeBERTa's attention: besides the product of a query and a key, the scores have that of the query
/// and the key's relative position (c2p), and that of the key and the query's (p2c).
///
/// Scores are f32 (f64 in an f64 model). N tokens, B sequences of up to T tokens, H heads of size
/// D, R rows of relative positions. Source: He et al., arXiv:2006.03654, equations 2 to 4, and
/// transformers, `DisentangledSelfAttention`.
///
/// @param heads H
/// @param headDim D
/// @param scale factor of all scores: 1 / sqrt(D times the number of products)
/// @param positions rows of relative positions
record DisentangledAttention(int heads, int headDim, double scale, RelativePositions positions) {
  /// Returns `(N, H D)`.
  ///
  /// @param scope owner of the result
  /// @param layer the layer, for its masks
  /// @param q queries, `(N, H D)`
  /// @param k keys, `(N, H D)`
  /// @param v values, `(N, H D)`
  /// @param positionKeys keys of the relative positions, `(R, H D)`; null for no c2p
  /// @param positionQueries their queries, `(R, H D)`; null for no p2c
  /// @param pass the pass
  Tensor attend(
      Scope scope,
      int layer,
      Tensor q,
      Tensor k,
      Tensor v,
      @Nullable Tensor positionKeys,
      @Nullable Tensor positionQueries,
      ForwardPass pass) {
    Ragged batch = pass.batch();
    DType wide = q.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Tensor query = scaled(scope, byHead(scope, batch.padRows(scope, q), wide)); // (H, B T, D)
    Tensor key = byHead(scope, batch.padRows(scope, k), wide);
    Tensor value = byHead(scope, batch.padRows(scope, v), wide);
    Tensor scores =
        Matmul.matmul(
            scope,
            bySequence(scope, query, batch),
            Layout.transpose(scope, bySequence(scope, key, batch), 1, 2)); // (H B, T, T)
    if (positionKeys != null || positionQueries != null) {
      int t = batch.longest();
      Tensor rows = scope.of(positions.rows(t), 1, t, t);
      if (positionKeys != null) {
        Tensor bias = towards(scope, query, byHead(scope, positionKeys, wide), rows, batch);
        scores = Elementwise.add(scope, scores, bias);
      }
      if (positionQueries != null) {
        Tensor table = scaled(scope, byHead(scope, positionQueries, wide));
        Tensor turned = Layout.transpose(scope, rows, 1, 2);
        Tensor bias = towards(scope, key, table, turned, batch);
        scores = Elementwise.add(scope, scores, Layout.transpose(scope, bias, 1, 2));
      }
    }
    Tensor weights = weights(scope, layer, scores, pass);
    Tensor mixed = Matmul.matmul(scope, weights, bySequence(scope, value, batch)); // (H B, T, D)
    long places = (long) batch.sequences() * batch.longest();
    Tensor byToken =
        Layout.transpose(scope, Layout.reshape(scope, mixed, heads, places, headDim), 0, 1);
    Tensor flat = Layout.reshape(scope, byToken, places, (long) heads * headDim); // (B T, H D)
    return Layout.as(scope, batch.unpadRows(scope, flat), q.dtype());
  }

  private Tensor scaled(Scope scope, Tensor x) {
    return Elementwise.scale(scope, x, scale);
  }

  /// Returns `(H, M, D)` from `(M, H D)`.
  private Tensor byHead(Scope scope, Tensor x, DType wide) {
    Tensor split = Layout.unflatten(scope, Layout.as(scope, x, wide), heads, headDim);
    Tensor turned = Layout.transpose(scope, split, 0, 1);
    return Layout.reshape(scope, turned, heads, x.size(0), headDim);
  }

  /// Returns `(H B, T, X)` from `(H, B T, X)`.
  private Tensor bySequence(Scope scope, Tensor x, Ragged batch) {
    return Layout.reshape(scope, x, (long) heads * batch.sequences(), batch.longest(), x.size(2));
  }

  /// Returns the products of each token with the relative positions of all, `(H B, T, T)`.
  ///
  /// @param x `(H, B T, D)`
  /// @param table `(H, R, D)`
  /// @param rows row of the table for each pair of tokens, `(1, T, T)`
  private Tensor towards(Scope scope, Tensor x, Tensor table, Tensor rows, Ragged batch) {
    Tensor all = Matmul.matmul(scope, x, Layout.transpose(scope, table, 1, 2)); // (H, B T, R)
    Tensor each = bySequence(scope, all, batch); // (H B, T, R)
    Tensor wanted = Layout.expand(scope, rows, each.size(0), rows.size(1), rows.size(2));
    return Layout.gather(scope, each, wanted);
  }

  /// Returns what the values are weighted by, `(H B, T, T)`.
  private Tensor weights(Scope scope, int layer, Tensor scores, ForwardPass pass) {
    Ragged batch = pass.batch();
    int t = batch.longest();
    Tensor split = Layout.reshape(scope, scores, heads, batch.sequences(), t, t);
    Tensor mask = EncoderAttention.mask(scope, layer, heads, pass);
    if (mask != null) {
      Tensor typed = Layout.transpose(scope, Layout.as(scope, mask, scores.dtype()), 0, 1);
      split = Elementwise.add(scope, split, typed);
    }
    Attention.WeightFactors factors = pass.weightFactors(scope, layer, heads, false);
    Tensor weights =
        factors == null
            ? Norm.softmax(scope, split)
            : Attention.weights(
                scope,
                split,
                new Attention.WeightFactors(
                    Layout.transpose(scope, factors.factors(), 0, 1), factors.rescaling()));
    return Layout.reshape(scope, weights, scores.shape());
  }
}
