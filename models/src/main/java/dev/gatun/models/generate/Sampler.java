package dev.gatun.models.generate;

import dev.gatun.runtime.random.Philox;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Chooses the tokens of one text from logits, in the order of transformers' processors: bias,
/// [Repetition], presence and frequency, temperature, top-k, top-p, min-p. Not thread-safe.
public final class Sampler {
  private final Sampling sampling;
  private final Repetition repetition;
  private final int choice;
  private final Map<Integer, Integer> made = new HashMap<>();
  private int drawn;

  /// Begins a text.
  ///
  /// @param sampling how to choose
  /// @param choice the number of this text among those of one prompt: each draws on its own
  public Sampler(Sampling sampling, int choice) {
    this.sampling = sampling;
    this.repetition =
        new Repetition(sampling.penalties().repetition(), sampling.penalties().noRepeatNgram());
    this.choice = choice;
  }

  /// {@return whether a choice is the largest logit, with nothing done to them before}
  public boolean isPlainlyGreedy() {
    return sampling.choice().temperature() == 0
        && repetition.isNone()
        && sampling.penalties().presence() == 0
        && sampling.penalties().frequency() == 0
        && sampling.logitBias().isEmpty();
  }

  /// Chooses the next token.
  ///
  /// @param logits the scores of all ids, which are changed; minus infinity for one that may not
  ///   come
  /// @param text the text so far, prompt included
  /// @return an id
  public int choose(float[] logits, int... text) {
    sampling
        .logitBias()
        .forEach((id, bias) -> {
          if (id < logits.length) {
            logits[id] += (float) (double) bias;
          }
        });
    repetition.apply(logits, text);
    if (sampling.penalties().presence() != 0 || sampling.penalties().frequency() != 0) {
      made.forEach((id, times) ->
          logits[id] -=
              (float) (sampling.penalties().presence() + times * sampling.penalties().frequency()));
    }
    int id = chosen(logits);
    made.merge(id, 1, Integer::sum);
    return id;
  }

  private int chosen(float[] logits) {
    int largest = largest(logits, 0, logits.length);
    boolean noneIsLeft = logits[largest] == Float.NEGATIVE_INFINITY; // each would repeat an n-gram
    if (sampling.choice().temperature() == 0 || noneIsLeft) {
      return largest;
    }
    double[] weights = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      weights[i] =
          Math.exp((logits[i] - (double) logits[largest]) / sampling.choice().temperature());
    }
    int[] words = new int[4];
    Philox.block(sampling.seed(), drawn++, choice, 0, 2, words, 0);
    double uniform = Philox.uniform(words[0], words[1]);
    if (sampling.choice().topK() == 0 && sampling.choice().topP() == 1) {
      double least = sampling.choice().minP(); // of the largest weight, which is 1
      double mass = 0;
      for (double weight : weights) {
        mass += weight >= least ? weight : 0;
      }
      return drawn(weights, null, weights.length, least, uniform * mass);
    }
    int[] order = likeliest(logits, weights);
    int kept =
        sampling.choice().topK() == 0
            ? order.length
            : Math.min(sampling.choice().topK(), order.length);
    double total = 0;
    if (sampling.choice().topK() == 0) {
      total = Arrays.stream(weights).sum();
    } else {
      for (int i = 0; i < kept; i++) {
        total += weights[order[i]];
      }
    }
    double mass = 0;
    int count = 0;
    while (count < kept
        && mass < sampling.choice().topP() * total
        && weights[order[count]] >= sampling.choice().minP()) {
      mass += weights[order[count++]];
    }
    return drawn(weights, order, count, 0, uniform * mass);
  }

  /// Returns the first id whose weights, up to and with its own, exceed a point.
  private static int drawn(
      double[] weights, int @Nullable [] order, int count, double least, double point) {
    int last = 0;
    for (int i = 0; i < count; i++) {
      int id = order == null ? i : order[i];
      if (weights[id] >= least && weights[id] > 0) {
        last = id;
        point -= weights[id];
        if (point < 0) {
          return id;
        }
      }
    }
    return last;
  }

  /// Returns the ids that top-k and top-p can keep, likeliest first; of equal ones the first.
  private int[] likeliest(float[] logits, double[] weights) {
    double least = 0;
    if (sampling.choice().topK() == 0) {
      // all that is lighter weighs less than what top-p leaves out
      double total = Arrays.stream(weights).sum();
      least = (1 - sampling.choice().topP()) * total / weights.length;
    }
    long[] keys = new long[logits.length];
    int count = 0;
    for (int i = 0; i < logits.length; i++) {
      if (weights[i] >= least && logits[i] > Float.NEGATIVE_INFINITY) {
        int bits = Float.floatToIntBits(logits[i] + 0f); // -0 and 0 are equal
        int rising = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
        keys[count++] = ((long) ~rising << 32) | i;
      }
    }
    Arrays.sort(keys, 0, count);
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      order[i] = (int) keys[i];
    }
    return order;
  }

  /// {@return the index, from `from` on, of the largest of some logits; the first of equal ones}
  ///
  /// @param logits scores
  /// @param from the first of them
  /// @param count how many
  public static int largest(float[] logits, int from, int count) {
    int best = from;
    for (int i = from + 1; i < from + count; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best - from;
  }
}
