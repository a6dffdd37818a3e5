package dev.gatun.models.metrics;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// NIST score of a whole set of texts, as `mteval-v13a.pl` computes it with up to 5 words, which is
/// the NIST of the E2E challenge with [Tokenization#MTEVAL_13A_LOWER_CASE].
///
/// A match counts as much as it informs: `log2(count of the run without its last word / count of
/// the run)` over all references. The length of the hypotheses is compared with the mean length of
/// their references. NLTK's `corpus_nist` is the same with one reference per text; with more it
/// takes the best one for each run length, here all of them count.
///
/// Source: Doddington 2002, "Automatic evaluation of machine translation quality using n-gram
/// co-occurrence statistics".
public final class Nist {
  private static final int LONGEST = 5;

  /// Makes hypotheses of 2/3 the length count half.
  private static final double BETA = Math.log(0.5) / Math.pow(Math.log(1.5), 2);

  private Nist() {}

  /// Computes the score.
  ///
  /// @param hypotheses the texts to score
  /// @param references for each of them one or more references; an empty one is a text without
  ///   words
  /// @param tokenization how texts are cut into words
  /// @return the score, at least 0 and without an upper bound; 0 if there is no word in the
  ///   references
  /// @throws IllegalArgumentException if there are no texts, not as many as lists of references, or
  ///   a list has none but empty ones
  public static double of(
      List<String> hypotheses, List<List<String>> references, Tokenization tokenization) {
    Inputs.texts("NIST", hypotheses, references);
    List<List<List<String>>> texts =
        references.stream().map(list -> list.stream().map(tokenization::words).toList()).toList();
    Map<List<String>, Long> counts = counts(texts);
    double[] matched = new double[LONGEST];
    long[] totals = new long[LONGEST];
    double referenceWords = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      List<String> hypothesis = tokenization.words(hypotheses.get(i));
      Map<List<String>, Integer> allowed = NGrams.highest(texts.get(i), LONGEST);
      NGrams.count(hypothesis, LONGEST)
          .forEach((run, count) -> {
            int matches = Math.min(count, allowed.getOrDefault(run, 0));
            if (matches > 0) {
              matched[run.size() - 1] += matches * information(run, counts);
            }
          });
      for (int n = 1; n <= LONGEST; n++) {
        totals[n - 1] += NGrams.total(hypothesis.size(), n);
      }
      referenceWords += texts.get(i).stream().mapToInt(List::size).average().orElseThrow();
    }
    double sum = 0;
    for (int n = 0; n < LONGEST; n++) {
      sum += matched[n] / Math.max(totals[n], 1);
    }
    return referenceWords == 0 ? 0 : sum * lengthPenalty(totals[0] / referenceWords);
  }

  /// Returns how often each run of words occurs in all references; the empty one once per word.
  private static Map<List<String>, Long> counts(List<List<List<String>>> references) {
    Map<List<String>, Long> counts = new HashMap<>();
    for (List<List<String>> texts : references) {
      for (List<String> text : texts) {
        counts.merge(List.of(), (long) text.size(), Long::sum);
        NGrams.count(text, LONGEST)
            .forEach((run, count) -> counts.merge(run, (long) count, Long::sum));
      }
    }
    return counts;
  }

  private static double information(List<String> run, Map<List<String>, Long> counts) {
    long before = counts.getOrDefault(run.subList(0, run.size() - 1), 0L);
    return Math.log((double) before / counts.getOrDefault(run, 0L)) / Math.log(2);
  }

  private static double lengthPenalty(double ratio) {
    if (ratio >= 1) {
      return 1;
    }
    return ratio == 0 ? 0 : Math.exp(BETA * Math.pow(Math.log(ratio), 2));
  }
}
