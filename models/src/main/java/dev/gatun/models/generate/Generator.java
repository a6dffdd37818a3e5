package dev.gatun.models.generate;

import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.op.Layout;
import java.util.Arrays;
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
    int most = CachedModel.room(model, prompt, sampling.maxNewTokens());
    Sampler sampler = new Sampler(sampling, 0);
    int[] text = prompt;
    int made = 0;
    boolean stopped = false;
    long start = 0;
    try (Scope scope = Scope.open(model.device())) {
      CachedModel cached = new CachedModel(scope, model, addition, 1, prompt.length + most - 1);
      int[] next = prompt;
      while (made < most) {
        int id = sampler.choose(logits(scope, cached, next), text);
        if (made == 0) {
          start = System.nanoTime();
        }
        if (stops.contains(id)) {
          stopped = true;
          break;
        }
        made++;
        text = Arrays.copyOf(text, text.length + 1);
        text[text.length - 1] = id;
        next = new int[] {id};
        if (!listener.test(id)) {
          break;
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double rate = made < 2 ? 0 : (made - 1) / seconds;
    return new Generated(Arrays.copyOfRange(text, prompt.length, text.length), stopped, rate);
  }

  private static float[] logits(Scope owner, CachedModel cached, int[] ids) {
    try (Scope scope = owner.child()) {
      return Layout.to(scope, cached.logits(scope, ids), DType.F32).toFloats();
    }
  }
}
