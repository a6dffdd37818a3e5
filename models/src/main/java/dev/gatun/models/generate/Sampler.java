package dev.gatun.models.generate;

import dev.gatun.runtime.random.Philox;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.IntStream;

/// Chooses tokens from logits, in the order of transformers' processors: repetition penalty,
/// temperature, top-k, top-p.
final class Sampler {
  private final Sampling sampling;
  private int drawn;

  Sampler(Sampling sampling) {
    this.sampling = sampling;
  }

  int choose(float[] logits, Set<Integer> seen) {
    if (sampling.repetitionPenalty() != 1) {
      float penalty = (float) sampling.repetitionPenalty();
      for (int id : seen) {
        logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
      }
    }
    if (sampling.temperature() == 0) {
      return largest(logits);
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
