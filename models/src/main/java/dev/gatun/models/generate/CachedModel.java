package dev.gatun.models.generate;

import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.KvCache;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// A model with the cache of one generation, whose sequences have one length. Not thread-safe.
final class CachedModel {
  private final CausalLm model;
  private final PassAddition addition;
  private List<KvCache.Sequence> sequences;

  /// Allocates the cache.
  ///
  /// @param scope owner of the cache
  /// @param model the model
  /// @param addition what goes with it
  /// @param most sequences that fit
  /// @param tokens tokens of a sequence that fit
  CachedModel(Scope scope, CausalLm model, PassAddition addition, int most, int tokens) {
    this.model = model;
    this.addition = addition;
    // while sequences are replaced by copies of them, both have a last page
    int spare = most > 1 ? most : 0;
    KvCache cache = KvCache.of(scope, model, most * KvCache.pages(tokens) + spare);
    this.sequences = List.of(cache.open());
  }

  /// Returns how many tokens can follow a prompt, and refuses one that the model cannot run.
  static int room(CausalLm model, int[] prompt, int wanted) {
    if (prompt.length == 0) {
      throw new ShapeException("generate: found an empty prompt, expected at least one id");
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.vocabulary()) {
        throw new ShapeException(
            "generate: found id " + id + ", expected 0 to " + (model.vocabulary() - 1));
      }
    }
    if (prompt.length > model.maxPositions()) {
      throw new ShapeException(
          "generate: found a prompt of %d ids, expected at most %d"
              .formatted(prompt.length, model.maxPositions()));
    }
    // the last token is made and not read: it needs no position
    return Math.min(wanted, model.maxPositions() - prompt.length + 1);
  }

  /// Replaces the sequences by copies of them.
  ///
  /// @param scope for temporaries
  /// @param from the sequence that each new one copies; a sequence may be copied often, or never
  void reorder(Scope scope, int... from) {
    List<KvCache.Sequence> next = new ArrayList<>();
    Set<Integer> kept = new HashSet<>();
    for (int index : from) {
      KvCache.Sequence sequence = sequences.get(index);
      next.add(kept.add(index) ? sequence : sequence.fork(scope));
    }
    for (int i = 0; i < sequences.size(); i++) {
      if (!kept.contains(i)) {
        sequences.get(i).close();
      }
    }
    sequences = next;
  }

  /// Returns the logits behind the last token of each sequence.
  ///
  /// @param scope owner of the result
  /// @param ids the tokens that follow those in the cache, sequence by sequence
  /// @return `(B, V)`
  Tensor logits(Scope scope, int... ids) {
    int count = sequences.size();
    int added = ids.length / count;
    int[] offsets = IntStream.rangeClosed(0, count).map(i -> i * added).toArray();
    ForwardPass.Builder pass = ForwardPass.of(scope, model, ids, offsets).cache(sequences);
    ForwardPass built = addition.join(pass, ids.length).build();
    Tensor last = model.hidden(scope, built, false); // (B * T, C)
    if (added > 1) {
      long width = last.size(1);
      Tensor all = Layout.reshape(scope, last, count, added, width);
      last = Layout.reshape(scope, Layout.narrow(scope, all, 1, added - 1, 1), count, width);
    }
    return model.logits(scope, last, built);
  }
}
