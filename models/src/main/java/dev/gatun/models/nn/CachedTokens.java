package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.PageTable;
import dev.gatun.runtime.op.Ragged;
import java.util.List;

/// The cache that a pass goes over, and where the pass's tokens stand in it.
///
/// @param cache the cache
/// @param sequences those of the pass, in its order
/// @param table where their new tokens stand
record CachedTokens(KvCache cache, List<KvCache.Sequence> sequences, PageTable table) {
  /// Takes pages for the new tokens of a batch.
  ///
  /// @param sequences at least one, all of one cache
  /// @throws ShapeException if they are not those of the batch, or too few pages are free
  static CachedTokens of(Scope owner, Ragged batch, List<KvCache.Sequence> sequences) {
    if (sequences.size() != batch.sequences()) {
      throw new ShapeException(
          "kv cache: found %d sequences in the batch, expected %d"
              .formatted(batch.sequences(), sequences.size()));
    }
    KvCache cache = sequences.getFirst().cache();
    int[] past = new int[sequences.size()];
    int[][] pages = new int[sequences.size()][];
    for (int i = 0; i < past.length; i++) {
      KvCache.Sequence sequence = sequences.get(i);
      if (sequence.cache() != cache) {
        throw new ShapeException("kv cache: sequence " + i + " is in another cache");
      }
      sequence.reserve(batch.length(i));
      past[i] = sequence.length();
      pages[i] = sequence.pages();
    }
    int keyHeads = (int) cache.keys(0).size(1);
    PageTable table = PageTable.of(owner, batch, past, pages, KvCache.PAGE, keyHeads);
    return new CachedTokens(cache, List.copyOf(sequences), table);
  }

  /// Returns how many tokens of a sequence came before.
  int past(int sequence) {
    return sequences.get(sequence).length();
  }

  /// Writes a layer's keys and values and attends over all of them, `(N, H, D)`.
  Tensor attend(Scope scope, int layer, Tensor q, Tensor k, Tensor v, int window, double scale) {
    Tensor keys = cache.keys(layer);
    Tensor values = cache.values(layer);
    return Attention.attendPages(scope, q, k, v, keys, values, table, window, scale);
  }

  /// Counts the new tokens, once every layer has written them.
  void advance() {
    for (int i = 0; i < sequences.size(); i++) {
      sequences.get(i).advance(table.batch().length(i));
    }
  }
}
