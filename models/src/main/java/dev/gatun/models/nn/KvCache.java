package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.Arrays;

/// Keys and values of the tokens that a generation has seen, for sequences of one length: one, or
/// the beams of a search. Not thread-safe.
public final class KvCache {
  private final Tensor[] keys;
  private final Tensor[] values;
  private final int capacity;
  private int sequences = 1;
  private int length;

  private KvCache(Tensor[] keys, Tensor[] values, int capacity) {
    this.keys = keys;
    this.values = values;
    this.capacity = capacity;
  }

  /// Allocates a cache, which holds one sequence until [#reorder] makes more of it.
  ///
  /// @param owner owner of its memory
  /// @param model the model whose layers it serves
  /// @param most sequences that fit, at least 1
  /// @param capacity tokens of a sequence that fit
  /// @return the cache, empty
  public static KvCache of(Scope owner, CausalLm model, int most, int capacity) {
    return of(
        owner,
        model.layers(),
        model.computeType(),
        most,
        model.keyHeads(),
        capacity,
        model.headDim());
  }

  /// Allocates layers of `(B, G, S, D)`: sequences and tokens that fit.
  static KvCache of(Scope owner, int layers, DType dtype, int... shape) {
    long[] sizes = Arrays.stream(shape).asLongStream().toArray();
    Tensor[] keys = new Tensor[layers];
    Tensor[] values = new Tensor[layers];
    for (int i = 0; i < layers; i++) {
      keys[i] = owner.empty(dtype, sizes);
      values[i] = owner.empty(dtype, sizes);
    }
    return new KvCache(keys, values, shape[2]);
  }

  /// {@return how many sequences are in the cache}
  public int sequences() {
    return sequences;
  }

  /// {@return how many tokens of each sequence are in the cache}
  public int length() {
    return length;
  }

  /// {@return how many tokens of a sequence fit}
  public int capacity() {
    return capacity;
  }

  /// Replaces the sequences by copies of them.
  ///
  /// @param scope for temporaries
  /// @param from the sequence that each new one copies; a sequence may be copied often, or never
  /// @throws ShapeException if there are more than fit, none, or one that is not in the cache
  public void reorder(Scope scope, int... from) {
    if (from.length < 1 || from.length > keys[0].size(0)) {
      throw new ShapeException(
          "kv cache: found %d sequences, expected 1 to %d".formatted(from.length, keys[0].size(0)));
    }
    boolean same = from.length == sequences;
    long[] rows = new long[from.length];
    for (int i = 0; i < from.length; i++) {
      if (from[i] < 0 || from[i] >= sequences) {
        throw new ShapeException(
            "kv cache: found sequence %d, expected 0 to %d".formatted(from[i], sequences - 1));
      }
      rows[i] = from[i];
      same &= from[i] == i;
    }
    if (!same && length > 0) {
      for (int i = 0; i < keys.length; i++) {
        copyRows(scope, keys[i], rows);
        copyRows(scope, values[i], rows);
      }
    }
    sequences = from.length;
  }

  private void copyRows(Scope scope, Tensor all, long[] rows) {
    try (Scope block = scope.child()) {
      Tensor used = Layout.narrow(block, all, 2, 0, length);
      Tensor copies = Layout.rows(block, used, block.of(rows, rows.length));
      Layout.copyInPlace(Layout.narrow(block, used, 0, 0, rows.length), copies);
    }
  }

  /// Writes the keys of new tokens behind those of a layer and returns the last as a view.
  ///
  /// @param scope owner of the view
  /// @param layer the layer
  /// @param fresh `(B * T, G, D)`, sequence by sequence
  /// @param past how many tokens before the new ones to return, at most `length`
  /// @return `(B, G, S, D)`, S = past + T
  Tensor keys(Scope scope, int layer, Tensor fresh, int past) {
    return appended(scope, keys[layer], fresh, past);
  }

  /// As [#keys], for values.
  Tensor values(Scope scope, int layer, Tensor fresh, int past) {
    return appended(scope, values[layer], fresh, past);
  }

  private Tensor appended(Scope scope, Tensor all, Tensor fresh, int past) {
    long added = fresh.size(0) / sequences;
    if (length + added > capacity) {
      throw new ShapeException(
          "kv cache: found %d + %d tokens, expected at most %d".formatted(length, added, capacity));
    }
    Tensor held = sequences == all.size(0) ? all : Layout.narrow(scope, all, 0, 0, sequences);
    Tensor target = Layout.narrow(scope, held, 2, length, added);
    Tensor source =
        Layout.transpose(
            scope,
            Layout.reshape(scope, fresh, sequences, added, fresh.size(1), fresh.size(2)),
            1,
            2);
    Layout.copyInPlace(target, source);
    return Layout.narrow(scope, held, 2, length - past, past + added);
  }

  /// Counts tokens of each sequence whose keys and values every layer has written.
  void advance(int tokens) {
    length += tokens;
  }
}
