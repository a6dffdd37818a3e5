package dev.gatun.models.zoo;

import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Param;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Ragged;

/// The convolution over neighbouring tokens of DeBERTa's xlarge sizes, whose result is added to the
/// first layer's. Source: transformers, `modeling_deberta_v2.py`, `ConvLayer`.
///
/// @param weight `(C, C, W)`, W odd
/// @param bias `(C)`
/// @param normWeight `(C)`
/// @param normBias `(C)`
/// @param gelu whether the activation is GELU by erf, not the hyperbolic tangent
/// @param eps of the norm
record TokenConvolution(
    Param weight, Param bias, Param normWeight, Param normBias, boolean gelu, double eps) {
  /// Returns `(N, C)`.
  ///
  /// @param scope owner of the result
  /// @param x what the first layer read, `(N, C)`
  /// @param layer what it returned, `(N, C)`
  /// @param pass the pass
  Tensor forward(Scope scope, Tensor x, Tensor layer, ForwardPass pass) {
    long c = x.size(1);
    int taps = (int) weight.value().size(2);
    Tensor ended = Layout.cat(scope, 0, x, scope.zeros(x.dtype(), 1, c));
    long[] rows = neighbours(pass.batch(), taps);
    Tensor around = Layout.rows(scope, ended, scope.of(rows, rows.length)); // (N W, C)
    Tensor window = Layout.reshape(scope, around, x.size(0), taps * c); // (N, W C)
    Tensor byTap = Layout.transpose(scope, pass.value(weight), 1, 2);
    Tensor matrix = Layout.reshape(scope, byTap, c, taps * c); // (C, W C)
    Tensor mixed = Matmul.linear(scope, window, matrix, pass.value(bias));
    Tensor active = gelu ? Elementwise.gelu(scope, mixed, false) : Elementwise.tanh(scope, mixed);
    return Norm.layerNorm(
        scope,
        Elementwise.add(scope, layer, active),
        pass.value(normWeight),
        pass.value(normBias),
        eps);
  }

  /// Returns the W tokens around each, by token; past the ends of its sequence the row of zeros
  /// behind all tokens.
  private static long[] neighbours(Ragged batch, int taps) {
    long[] rows = new long[batch.tokens() * taps];
    int at = 0;
    for (int i = 0; i < batch.sequences(); i++) {
      for (int t = 0; t < batch.length(i); t++) {
        for (int tap = 0; tap < taps; tap++) {
          int place = t + tap - taps / 2;
          boolean inside = place >= 0 && place < batch.length(i);
          rows[at++] = inside ? batch.start(i) + place : batch.tokens();
        }
      }
    }
    return rows;
  }
}
