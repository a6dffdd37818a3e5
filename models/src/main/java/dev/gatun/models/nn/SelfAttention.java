package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.AttentionMask;
import dev.gatun.runtime.op.Elementwise;

/// Causal self-attention of a decoder layer: over the batch in training, over a cache in
/// generation, with DropKey's mask and a sliding window where there is one.
///
/// @param heads query heads
/// @param window how many keys a query sees, itself included; 0 for all
/// @param scale factor of the scores
public record SelfAttention(int heads, int window, double scale) {
  /// {@return `(N, H, D)` from q `(N, H, D)`, k and v `(N, G, D)`}
  ///
  /// @param scope owner of the result
  /// @param layer the layer, for its masks and its part of the cache
  /// @param q queries, `(N, H, D)`
  /// @param k keys, `(N, G, D)`, G divides H
  /// @param v values, shaped as `k`
  /// @param pass the pass
  public Tensor attend(Scope scope, int layer, Tensor q, Tensor k, Tensor v, ForwardPass pass) {
    if (pass.cache() != null) {
      return pass.cache().attend(scope, layer, q, k, v, window, scale);
    }
    AttentionMask drawn =
        pass.masks() == null ? null : pass.masks().keys(layer, heads, pass.batch(), true);
    int longest = pass.batch().longest();
    Tensor mask = window > 0 && longest > window ? band(scope, longest) : null;
    Attention.WeightFactors weights = pass.weightFactors(scope, layer, heads, true);
    if (drawn != null && mask == null && weights == null) {
      return Attention.dropKey(scope, q, k, v, drawn, scale);
    }
    if (drawn != null) {
      Tensor dropped = drawn.draw(scope);
      mask = mask == null ? dropped : Elementwise.add(scope, dropped, mask);
    }
    return weights == null
        ? Attention.attend(scope, q, k, v, pass.batch(), true, mask, scale)
        : Attention.attend(scope, q, k, v, pass.batch(), true, mask, scale, weights);
  }

  /// Returns `(1, 1, T, T)`: each position sees its own window of keys and nothing ahead.
  private Tensor band(Scope scope, int tokens) {
    float[] mask = new float[tokens * tokens];
    for (int t = 0; t < tokens; t++) {
      for (int s = 0; s < tokens; s++) {
        boolean seen = s <= t && t - s < window;
        mask[t * tokens + s] = seen ? 0 : Float.NEGATIVE_INFINITY;
      }
    }
    return scope.of(mask, 1, 1, tokens, tokens);
  }
}
