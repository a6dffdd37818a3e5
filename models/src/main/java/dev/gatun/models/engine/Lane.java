package dev.gatun.models.engine;

import dev.gatun.models.nn.KvCache;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One way of a text through the model: its tokens' keys and values under one adapter, or none.
///
/// A text has one, and that of an ensemble one for each draw, all of them at the same token: what
/// they say is averaged, and the token that is chosen is each one's next. So an ensemble is one
/// text, not several that are tied together: what it has of a text (tokens, sampler, constraint,
/// stop texts, its place among others) it has once, and its lanes cannot fall out of step. Their
/// adapters are draws whose matrices are masked when they are read: low-rank matrices are small,
/// and masks on activations would have to be multiplied in every pass. For the engine's thread
/// alone.
final class Lane {
  private final RunningText text;
  private final @Nullable AdapterHandle adapter;
  private KvCache.@Nullable Sequence sequence;
  private int lastRow;

  Lane(RunningText text, @Nullable AdapterHandle adapter) {
    this.text = text;
    this.adapter = adapter;
  }

  RunningText text() {
    return text;
  }

  @Nullable AdapterHandle adapter() {
    return adapter;
  }

  boolean isOpen() {
    return sequence != null;
  }

  void open(KvCache.Sequence value) {
    this.sequence = value;
  }

  KvCache.Sequence sequence() {
    return Objects.requireNonNull(sequence);
  }

  /// Returns how many tokens are in the cache.
  int length() {
    return sequence == null ? 0 : sequence.length();
  }

  /// Lets its pages go.
  void close() {
    if (sequence != null) {
      sequence.close();
      sequence = null;
    }
  }

  /// Returns the row of its last token in the pass under way.
  int lastRow() {
    return lastRow;
  }

  void lastRow(int value) {
    this.lastRow = value;
  }
}
