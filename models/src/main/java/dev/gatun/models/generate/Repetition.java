package dev.gatun.models.generate;

import java.util.HashSet;
import java.util.Set;

/// Lowers the scores of tokens that would repeat a text: the repetition penalty, then the n-grams
/// that may not come back, as transformers' processors do, in their order.
///
/// @param penalty divisor of positive scores, and factor of negative ones, of ids seen before; 1
///   for none
/// @param ngram length of the runs of ids that may not come back; 0 for none
record Repetition(double penalty, int ngram) {
  boolean isNone() {
    return penalty == 1 && ngram == 0;
  }

  /// Changes the scores of the token behind a text, prompt included.
  void apply(float[] scores, int[] text) {
    if (penalty != 1) {
      Set<Integer> seen = new HashSet<>();
      for (int id : text) {
        if (seen.add(id)) {
          float score = scores[id];
          scores[id] = score > 0 ? score / (float) penalty : score * (float) penalty;
        }
      }
    }
    if (ngram > 0) {
      // the last ngram - 1 ids, wherever they stood before, forbid what followed them there
      for (int from = 0; from + ngram <= text.length; from++) {
        if (endsAlike(text, from)) {
          scores[text[from + ngram - 1]] = Float.NEGATIVE_INFINITY;
        }
      }
    }
  }

  private boolean endsAlike(int[] text, int from) {
    int end = text.length - (ngram - 1);
    for (int i = 0; i < ngram - 1; i++) {
      if (text[from + i] != text[end + i]) {
        return false;
      }
    }
    return true;
  }
}
