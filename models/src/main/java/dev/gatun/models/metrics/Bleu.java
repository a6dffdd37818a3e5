package dev.gatun.models.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// BLEU of a whole set of texts, as `sacrebleu.corpus_bleu` computes it: up to 4 words, exponential
/// smoothing of orders without any match (as `mteval-v13a.pl`), the reference of the closest
/// length, the shorter of two equally close.
///
/// With [Tokenization#MTEVAL_13A_LOWER_CASE] it is the BLEU of the E2E challenge.
///
/// Source: Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation";
/// Post 2018, arXiv:1804.08771.
///
/// @param score BLEU, 0 to 100; 0 if no text has 4 words
/// @param precisions percentage of the hypotheses' runs of 1, 2, 3 and 4 words that match,
///   smoothed; all 0 if nothing matches
/// @param brevityPenalty factor for hypotheses shorter than their references, 0 to 1
/// @param hypothesisWords number of words of all hypotheses
/// @param referenceWords number of words of their closest references
public record Bleu(
    double score,
    List<Double> precisions,
    double brevityPenalty,
    long hypothesisWords,
    long referenceWords) {
  private static final int LONGEST = 4;

  /// Copies its arguments.
  public Bleu {
    precisions = List.copyOf(precisions);
  }

  /// Computes BLEU.
  ///
  /// @param hypotheses the texts to score
  /// @param references for each of them one or more references; an empty one is a text without
  ///   words
  /// @param tokenization how texts are cut into words
  /// @return the score
  /// @throws IllegalArgumentException if there are no texts, not as many as lists of references, or
  ///   a list has none but empty ones
  public static Bleu of(
      List<String> hypotheses, List<List<String>> references, Tokenization tokenization) {
    Inputs.texts("BLEU", hypotheses, references);
    long[] matches = new long[LONGEST];
    long[] totals = new long[LONGEST];
    long hypothesisWords = 0;
    long referenceWords = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      List<String> hypothesis = tokenization.words(hypotheses.get(i));
      List<List<String>> texts = references.get(i).stream().map(tokenization::words).toList();
      Map<List<String>, Integer> allowed = NGrams.highest(texts, LONGEST);
      NGrams.count(hypothesis, LONGEST)
          .forEach((run, count) ->
              matches[run.size() - 1] += Math.min(count, allowed.getOrDefault(run, 0)));
      for (int n = 1; n <= LONGEST; n++) {
        totals[n - 1] += NGrams.total(hypothesis.size(), n);
      }
      hypothesisWords += hypothesis.size();
      referenceWords += closest(hypothesis.size(), texts);
    }
    List<Double> precisions = precisions(matches, totals);
    double penalty =
        hypothesisWords >= referenceWords
            ? 1
            : hypothesisWords == 0 ? 0 : Math.exp(1 - (double) referenceWords / hypothesisWords);
    double logs = 0;
    for (double precision : precisions) {
      logs += Math.log(precision);
    }
    double score = penalty * Math.exp(logs / LONGEST);
    return new Bleu(score, precisions, penalty, hypothesisWords, referenceWords);
  }

  /// Returns percentages. The k-th order without a match counts as 1 / 2^k matches, but an order
  /// for which the hypotheses are too short is 0.
  private static List<Double> precisions(long[] matches, long[] totals) {
    List<Double> precisions = new ArrayList<>();
    double smoothed = 1;
    for (int n = 0; n < LONGEST; n++) {
      if (matches[0] == 0 || totals[n] == 0) {
        precisions.add(0.0);
      } else if (matches[n] == 0) {
        smoothed /= 2;
        precisions.add(100 * smoothed / totals[n]);
      } else {
        precisions.add(100.0 * matches[n] / totals[n]);
      }
    }
    return precisions;
  }

  private static int closest(int length, List<List<String>> references) {
    int closest = references.getFirst().size();
    for (List<String> reference : references) {
      int nearer = Math.abs(reference.size() - length) - Math.abs(closest - length);
      if (nearer < 0 || (nearer == 0 && reference.size() < closest)) {
        closest = reference.size();
      }
    }
    return closest;
  }
}
