package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;

/// Keys and values of the tokens that a generation has seen, for one sequence. Not thread-safe.
public final class KvCache {
  private final Tensor[] keys;
  private final Tensor[] values;
  private final int capacity;
  private int length;

  private KvCache(Tensor[] keys, Tensor[] values, int capacity) {
    this.keys = keys;
    this.values = values;
    this.capacity = capacity;
  }

  /// Allocates a cache.
  ///
  /// @param owner owner of its memory
  /// @param layers layers of the model
  /// @param heads key heads
  /// @param headDim size of a head
  /// @param dtype compute type
  /// @param capacity tokens that fit
  /// @return the cache, empty
  public static KvCache of(
      Scope owner, int layers, int heads, int headDim, DType dtype, int capacity) {
    Tensor[] keys = new Tensor[layers];
    Tensor[] values = new Tensor[layers];
    for (int i = 0; i < layers; i++) {
      keys[i] = owner.empty(dtype, 1, heads, capacity, headDim);
      values[i] = owner.empty(dtype, 1, heads, capacity, headDim);
    }
    return new KvCache(keys, values, capacity);
  }

  /// {@return how many tokens are in the cache}
  public int length() {
    return length;
  }

  /// {@return how many tokens fit}
  public int capacity() {
    return capacity;
  }

  /// Writes the keys of new tokens behind those of a layer and returns the last as a view.
  ///
  /// @param scope owner of the view
  /// @param layer the layer
  /// @param fresh `(T, G, D)`
  /// @param past how many tokens before the new ones to return, at most `length`
  /// @return `(1, G, S, D)`, S = past + T
  Tensor keys(Scope scope, int layer, Tensor fresh, int past) {
    return appended(scope, keys[layer], fresh, past);
  }

  /// As [#keys], for values.
  Tensor values(Scope scope, int layer, Tensor fresh, int past) {
    return appended(scope, values[layer], fresh, past);
  }

  private Tensor appended(Scope scope, Tensor all, Tensor fresh, int past) {
    long added = fresh.size(0);
    if (length + added > capacity) {
      throw new ShapeException(
          "kv cache: found %d + %d tokens, expected at most %d".formatted(length, added, capacity));
    }
    Tensor target = Layout.narrow(scope, all, 2, length, added);
    Tensor source =
        Layout.transpose(
            scope, Layout.reshape(scope, fresh, 1, added, fresh.size(1), fresh.size(2)), 1, 2);
    Layout.copyInPlace(target, source);
    return Layout.narrow(scope, all, 2, length - past, past + added);
  }

  /// Counts tokens whose keys and values every layer has written.
  void advance(int tokens) {
    length += tokens;
  }
}
