package dev.gatun.models.generate;

import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.KvCache;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/// Continues one sequence token by token, over a cache of keys and values. Not thread-safe.
///
/// @param model the model
/// @param addition what goes with it, or [PassAddition#NONE]
/// @param stops ids that end a text; they are not part of the result
public record Generator(CausalLm model, PassAddition addition, Set<Integer> stops) {
  /// What was generated.
  ///
  /// @param ids new ids, without the prompt and without the stop id
  /// @param stopped whether a stop id ended it
  /// @param tokensPerSecond new tokens over the time after the prompt's pass
  public record Generated(int[] ids, boolean stopped, double tokensPerSecond) {}

  /// Generates to the end; see [#generate(int[], Sampling, IntPredicate)].
  ///
  /// @param prompt at least one id
  /// @param sampling how to choose
  /// @return what was generated
  public Generated generate(int[] prompt, Sampling sampling) {
    return generate(prompt, sampling, id -> true);
  }

  /// Generates.
  ///
  /// @param prompt at least one id
  /// @param sampling how to choose
  /// @param listener is told of each new id; false ends the generation
  /// @return what was generated
  /// @throws ShapeException if the prompt is empty, has an id outside the vocabulary or more ids
  ///   than the model has positions; new tokens end where the positions do
  public Generated generate(int[] prompt, Sampling sampling, IntPredicate listener) {
    if (prompt.length == 0) {
      throw new ShapeException("generate: found an empty prompt, expected at least one id");
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.vocabulary()) {
        throw new ShapeException(
            "generate: found id " + id + ", expected 0 to " + (model.vocabulary() - 1));
      }
    }
    int capacity = Math.min(model.maxPositions(), prompt.length + sampling.maxNewTokens());
    if (prompt.length > model.maxPositions()) {
      throw new ShapeException(
          "generate: found a prompt of %d ids, expected at most %d"
              .formatted(prompt.length, model.maxPositions()));
    }
    Sampler sampler = new Sampler(sampling);
    Set<Integer> seen = new HashSet<>();
    Arrays.stream(prompt).forEach(seen::add);
    List<Integer> made = new ArrayList<>();
    boolean stopped = false;
    long start = 0;
    try (Scope scope = Scope.open()) {
      KvCache cache =
          KvCache.of(
              scope,
              model.layers(),
              model.keyHeads(),
              model.headDim(),
              model.computeType(),
              capacity);
      int[] next = prompt;
      while (made.size() < sampling.maxNewTokens() && cache.length() + next.length <= capacity) {
        int id = sampler.choose(logits(scope, next, cache), seen);
        if (made.isEmpty()) {
          start = System.nanoTime();
        }
        if (stops.contains(id)) {
          stopped = true;
          break;
        }
        made.add(id);
        seen.add(id);
        next = new int[] {id};
        if (!listener.test(id)) {
          break;
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double rate = made.size() < 2 ? 0 : (made.size() - 1) / seconds;
    return new Generated(made.stream().mapToInt(Integer::intValue).toArray(), stopped, rate);
  }

  private float[] logits(Scope owner, int[] ids, KvCache cache) {
    try (Scope scope = owner.child()) {
      ForwardPass.Builder pass = ForwardPass.of(scope, model, ids, 0, ids.length).cache(cache);
      ForwardPass built = addition.join(pass, ids.length).build();
      Tensor hidden = model.hidden(scope, built, false);
      Tensor last = Layout.narrow(scope, hidden, 0, ids.length - 1, 1);
      return Layout.to(scope, model.logits(scope, last, built), DType.F32).toFloats();
    }
  }
}
