package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.AttentionMask;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import org.jspecify.annotations.Nullable;

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
      return overCache(scope, layer, q, k, v, pass.cache());
    }
    AttentionMask drawn =
        pass.masks() == null ? null : pass.masks().keys(layer, heads, pass.batch(), true);
    int longest = pass.batch().longest();
    Tensor mask = window > 0 && longest > window ? band(scope, longest, longest) : null;
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

  private Tensor overCache(Scope scope, int layer, Tensor q, Tensor k, Tensor v, KvCache cache) {
    int sequences = cache.sequences();
    int fresh = (int) q.size(0) / sequences;
    // What lies before the first query's window is not read: one query then needs no mask.
    int past = window > 0 ? Math.min(cache.length(), window - 1) : cache.length();
    Tensor keys = cache.keys(scope, layer, k, past);
    Tensor values = cache.values(scope, layer, v, past);
    boolean causal = past == 0;
    boolean banded = (window > 0 && past + fresh > window) || (!causal && fresh > 1);
    @Nullable Tensor mask = banded ? band(scope, fresh, past + fresh) : null;
    Tensor query =
        Layout.transpose(scope, Layout.reshape(scope, q, sequences, fresh, heads, q.size(2)), 1, 2);
    Tensor out = Attention.attendCache(scope, query, keys, values, causal, mask, scale);
    return Layout.reshape(scope, Layout.transpose(scope, out, 1, 2), q.size(0), heads, q.size(2));
  }

  /// Returns `(1, 1, T, S)`: the last T of S positions see their own window of keys and nothing
  /// ahead.
  private Tensor band(Scope scope, int queries, int keys) {
    float[] mask = new float[queries * keys];
    for (int t = 0; t < queries; t++) {
      int position = keys - queries + t;
      for (int s = 0; s < keys; s++) {
        boolean seen = s <= position && (window == 0 || position - s < window);
        mask[t * keys + s] = seen ? 0 : Float.NEGATIVE_INFINITY;
      }
    }
    return scope.of(mask, 1, 1, queries, keys);
  }
}
