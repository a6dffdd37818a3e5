package dev.gatun.models.train;

import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Param;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.Map;
import java.util.function.Supplier;

/// The last activations of one run's batch under some draws of its masks: what a head reads.
///
/// N tokens of the batch, D draws.
final class Reading {
  private final Tensor states;
  private final long[] starts;
  private final long tokens;
  private final Map<Integer, Tensor> replaced;
  private final Supplier<ForwardPass> pass;

  /// @param states `(M, C)`: rows of this and of other runs
  /// @param starts row of the first token under each draw, D of them
  /// @param tokens N
  /// @param replaced what replaces weights of the head, by [Param#index()]
  /// @param pass a pass over all draws one after the other, to run a head in
  Reading(
      Tensor states,
      long[] starts,
      long tokens,
      Map<Integer, Tensor> replaced,
      Supplier<ForwardPass> pass) {
    this.states = states;
    this.starts = starts;
    this.tokens = tokens;
    this.replaced = replaced;
    this.pass = pass;
  }

  /// Returns D.
  int draws() {
    return starts.length;
  }

  /// Returns the pass that a head runs in: the tokens of all draws, one draw after the other.
  ForwardPass pass() {
    return pass.get();
  }

  /// Returns a weight of the head, or what replaces it.
  Tensor value(Param weight) {
    return replaced.getOrDefault(weight.index(), weight.value());
  }

  /// Returns all rows, `(D N, C)`.
  Tensor all(Scope scope) {
    boolean whole = states.size(0) == starts.length * tokens;
    for (int i = 0; i < starts.length; i++) {
      whole &= starts[i] == i * tokens;
    }
    if (whole) {
      return states;
    }
    long[] places = new long[(int) tokens];
    for (int i = 0; i < places.length; i++) {
      places[i] = i;
    }
    return rows(scope, places);
  }

  /// Returns some rows under each draw, `(D P, C)`.
  ///
  /// @param places P tokens of the batch
  Tensor rows(Scope scope, long... places) {
    long[] rows = new long[starts.length * places.length];
    int at = 0;
    for (long start : starts) {
      for (long place : places) {
        rows[at++] = start + place;
      }
    }
    return Layout.rows(scope, states, scope.of(rows, rows.length));
  }
}
