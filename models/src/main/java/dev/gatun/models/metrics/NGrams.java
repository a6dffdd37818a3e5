package dev.gatun.models.metrics;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs of words within a text.
final class NGrams {
  private NGrams() {}

  /// Returns how often each run of 1 to `longest` words occurs, short runs first and in the order
  /// of the text, so that sums over them are always rounded alike.
  static Map<List<String>, Integer> count(List<String> words, int longest) {
    Map<List<String>, Integer> counts = new LinkedHashMap<>();
    for (int n = 1; n <= longest; n++) {
      for (int i = 0; i + n <= words.size(); i++) {
        counts.merge(words.subList(i, i + n), 1, Integer::sum);
      }
    }
    return counts;
  }

  /// Returns for each run the highest of its counts in the texts.
  static Map<List<String>, Integer> highest(List<List<String>> texts, int longest) {
    Map<List<String>, Integer> highest = new LinkedHashMap<>();
    for (List<String> text : texts) {
      count(text, longest).forEach((run, count) -> highest.merge(run, count, Math::max));
    }
    return highest;
  }

  /// Returns how many runs of `n` words a text of `words` words has.
  static long total(int words, int n) {
    return Math.max(words - n + 1, 0);
  }
}
