package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.AttentionMask;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Ragged;
import org.jspecify.annotations.Nullable;

/// Self-attention of an encoder layer: each token sees all of its sequence, less what DropKey
/// drops.
///
/// @param heads number of heads
/// @param scale factor of the scores
public record EncoderAttention(int heads, double scale) {
  /// {@return `(N, H, D)` from q, k and v `(N, H, D)`}
  ///
  /// @param scope owner of the result
  /// @param layer the layer, for its masks
  /// @param q queries
  /// @param k keys
  /// @param v values
  /// @param pass the pass
  public Tensor attend(Scope scope, int layer, Tensor q, Tensor k, Tensor v, ForwardPass pass) {
    AttentionMask drawn = dropped(layer, heads, pass);
    Attention.WeightFactors weights = pass.weightFactors(scope, layer, heads, false);
    if (drawn != null && weights == null) {
      return Attention.dropKey(scope, q, k, v, drawn, scale);
    }
    Tensor mask = mask(scope, drawn, pass);
    return weights == null
        ? Attention.attend(scope, q, k, v, pass.batch(), false, mask, scale)
        : Attention.attend(scope, q, k, v, pass.batch(), false, mask, scale, weights);
  }

  /// {@return what is added to the scores of a layer: minus infinity for keys that a head drops and
  /// for those past a sequence's end, f32 `(B, H, 1, T)` or `(B, 1, 1, T)`; or null where there are
  /// none}
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param heads number of heads
  /// @param pass the pass
  public static @Nullable Tensor mask(Scope scope, int layer, int heads, ForwardPass pass) {
    return mask(scope, dropped(layer, heads, pass), pass);
  }

  private static @Nullable AttentionMask dropped(int layer, int heads, ForwardPass pass) {
    return pass.masks() == null ? null : pass.masks().keys(layer, heads, pass.batch(), false);
  }

  private static @Nullable Tensor mask(
      Scope scope, @Nullable AttentionMask drawn, ForwardPass pass) {
    Tensor dropped = drawn == null ? null : drawn.draw(scope);
    if (pass.batch().isUniform()) {
      return dropped;
    }
    Ragged batch = pass.batch();
    Tensor ends =
        Layout.reshape(scope, batch.pastEnds(scope), batch.sequences(), 1, 1, batch.longest());
    return dropped == null ? ends : Elementwise.add(scope, dropped, ends);
  }
}
