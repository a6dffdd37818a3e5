package dev.gatun.models.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// CIDEr-D of a whole set of texts, as coco-caption's `cider` computes it and the E2E challenge
/// reports it: runs of 1 to 4 words weighted by tf-idf over the references, a penalty for another
/// length, times 10.
///
/// Words are cut at white space and compared as they are; both run a tokenizer before. A run counts
/// by its rarity among the lists of references, so one text alone, or lists that are all alike,
/// give 0.
///
/// Source: Vedantam et al. 2015, arXiv:1411.5726; differs from its CIDEr-D, as coco-caption does,
/// in measuring lengths in pairs of words.
///
/// @param score mean of the texts' scores, 0 to 10
/// @param each the score of each text
public record Cider(double score, List<Double> each) {
  private static final int LONGEST = 4;
  private static final double SIGMA = 6;

  /// Copies its arguments.
  public Cider {
    each = List.copyOf(each);
  }

  /// Computes the scores.
  ///
  /// @param hypotheses the texts to score
  /// @param references for each of them one or more references
  /// @return the scores
  /// @throws IllegalArgumentException if there are no texts, not as many as lists of references, or
  ///   a list is empty
  public static Cider of(List<String> hypotheses, List<List<String>> references) {
    Inputs.texts("CIDEr", hypotheses, references);
    Map<List<String>, Integer> frequencies = frequencies(references);
    double logTexts = Math.log(hypotheses.size());
    List<Double> each = new ArrayList<>();
    double sum = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      TfIdf hypothesis = TfIdf.of(hypotheses.get(i), frequencies, logTexts);
      double similarity = 0;
      for (String reference : references.get(i)) {
        similarity += hypothesis.similarity(TfIdf.of(reference, frequencies, logTexts));
      }
      each.add(10 * similarity / references.get(i).size());
      sum += each.getLast();
    }
    return new Cider(sum / each.size(), each);
  }

  /// Returns in how many of the lists each run of words occurs.
  private static Map<List<String>, Integer> frequencies(List<List<String>> references) {
    Map<List<String>, Integer> frequencies = new HashMap<>();
    for (List<String> texts : references) {
      Set<List<String>> runs = new HashSet<>();
      texts.forEach(text -> runs.addAll(counts(text).keySet()));
      runs.forEach(run -> frequencies.merge(run, 1, Integer::sum));
    }
    return frequencies;
  }

  private static Map<List<String>, Integer> counts(String text) {
    return NGrams.count(Tokenization.split(text), LONGEST);
  }

  /// A text as the weights of its runs of words, with their norm for each length of run.
  private static final class TfIdf {
    private final Map<List<String>, Double> weights = new HashMap<>();
    private final double[] norms = new double[LONGEST];
    private final Map<List<String>, Integer> counts;
    private long pairs;

    private TfIdf(Map<List<String>, Integer> counts) {
      this.counts = counts;
    }

    static TfIdf of(String text, Map<List<String>, Integer> frequencies, double logTexts) {
      TfIdf made = new TfIdf(counts(text));
      made.counts.forEach((run, count) -> {
        double weight = count * (logTexts - Math.log(frequencies.getOrDefault(run, 1)));
        made.weights.put(run, weight);
        made.norms[run.size() - 1] += weight * weight;
        made.pairs += run.size() == 2 ? count : 0;
      });
      for (int n = 0; n < LONGEST; n++) {
        made.norms[n] = Math.sqrt(made.norms[n]);
      }
      return made;
    }

    /// Returns the mean over the lengths of runs of the clipped cosine, with the length penalty.
    double similarity(TfIdf reference) {
      double[] products = new double[LONGEST];
      counts
          .keySet()
          .forEach(run -> {
            double other = reference.weights.getOrDefault(run, 0.0);
            products[run.size() - 1] += Math.min(weights.getOrDefault(run, 0.0), other) * other;
          });
      double sum = 0;
      for (int n = 0; n < LONGEST; n++) {
        double norm = norms[n] * reference.norms[n];
        sum += norm == 0 ? 0 : products[n] / norm;
      }
      double difference = pairs - reference.pairs;
      return sum / LONGEST * Math.exp(-difference * difference / (2 * SIGMA * SIGMA));
    }
  }
}
