package dev.gatun.models.generate;

import dev.gatun.runtime.random.Philox;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// Chooses tokens from logits, in the order of transformers' processors: [Repetition], temperature,
/// top-k, top-p.
final class Sampler {
  private final Sampling sampling;
  private final Repetition repetition;
  private int drawn;

  Sampler(Sampling sampling) {
    this.sampling = sampling;
    this.repetition = sampling.repetition();
  }

  /// Returns the id behind a text, prompt included; the logits are changed.
  int choose(float[] logits, int... text) {
    repetition.apply(logits, text);
    int largest = largest(logits);
    boolean noneIsLeft = logits[largest] == Float.NEGATIVE_INFINITY; // each would repeat an n-gram
    if (sampling.temperature() == 0 || noneIsLeft) {
      return largest;
    }
    Integer[] order =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -logits[i]))
            .toArray(Integer[]::new);
    int kept = sampling.topK() == 0 ? order.length : Math.min(sampling.topK(), order.length);
    double[] weights = new double[kept];
    for (int i = 0; i < kept; i++) {
      weights[i] =
          Math.exp((logits[order[i]] - (double) logits[order[0]]) / sampling.temperature());
    }
    double total = Arrays.stream(weights).sum();
    double mass = 0;
    int count = 0;
    while (count < kept && mass < sampling.topP() * total) {
      mass += weights[count++];
    }
    int[] words = new int[4];
    Philox.block(sampling.seed(), drawn++, 0, 0, 2, words, 0);
    double point = Philox.uniform(words[0], words[1]) * mass;
    for (int i = 0; i < count; i++) {
      point -= weights[i];
      if (point < 0) {
        return order[i];
      }
    }
    return order[count - 1];
  }

  private static int largest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }
}
