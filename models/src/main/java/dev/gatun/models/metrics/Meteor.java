package dev.gatun.models.metrics;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// METEOR with matches of equal words and equal Porter stems, without synonyms and paraphrases, as
/// NLTK's `meteor_score` with an empty WordNet.
///
/// It is not the METEOR 1.5 of the E2E challenge, whose WordNet and paraphrase tables are missing
/// here and whose words have weights: the numbers of the two must not be compared.
///
/// Words are cut at white space and compared in lower case. From the last word of the hypothesis to
/// the first, each takes the last word of the reference that is free and equal; then the words left
/// do the same with their stems. With m matches in c chunks (neighbours in both texts), precision P
/// and recall R, the score is `(1 - 0.5 (c / m)^3) · P R / (0.9 P + 0.1 R)`.
///
/// Source: Lavie and Agarwal 2007, "METEOR: an automatic metric for MT evaluation with high levels
/// of correlation with human judgments"; differs from it in the order of matching, which is NLTK's.
public final class Meteor {
  private static final double ALPHA = 0.9;
  private static final double BETA = 3;
  private static final double GAMMA = 0.5;

  private Meteor() {}

  /// Returns the mean score of texts.
  ///
  /// @param hypotheses the texts to score
  /// @param references for each of them one or more references
  /// @return the mean, 0 to 1
  /// @throws IllegalArgumentException if there are no texts, not as many as lists of references, or
  ///   a list is empty
  public static double of(List<String> hypotheses, List<List<String>> references) {
    Inputs.texts("METEOR", hypotheses, references);
    double sum = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      sum += of(hypotheses.get(i), references.get(i));
    }
    return sum / hypotheses.size();
  }

  /// Returns the score of one text with the reference that gives most.
  ///
  /// @param hypothesis the text to score
  /// @param references one or more references
  /// @return the score, 0 to 1
  /// @throws IllegalArgumentException if there are no references
  public static double of(String hypothesis, List<String> references) {
    Inputs.references("METEOR", references);
    double best = 0;
    for (String reference : references) {
      best = Math.max(best, score(words(hypothesis), words(reference)));
    }
    return best;
  }

  private static List<String> words(String text) {
    return Tokenization.split(text.toLowerCase(Locale.ROOT));
  }

  private static double score(List<String> hypothesis, List<String> reference) {
    int[] partners = partners(hypothesis, reference);
    int matches = 0;
    int chunks = 0;
    for (int i = 0; i < partners.length; i++) {
      if (partners[i] >= 0) {
        matches++;
        boolean continues = i > 0 && partners[i - 1] >= 0 && partners[i] == partners[i - 1] + 1;
        chunks += continues ? 0 : 1;
      }
    }
    if (matches == 0) {
      return 0;
    }
    double precision = (double) matches / hypothesis.size();
    double recall = (double) matches / reference.size();
    double mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall);
    return (1 - GAMMA * Math.pow((double) chunks / matches, BETA)) * mean;
  }

  /// Returns for each word of the hypothesis its partner in the reference, or -1.
  private static int[] partners(List<String> hypothesis, List<String> reference) {
    int[] partners = new int[hypothesis.size()];
    Arrays.fill(partners, -1);
    boolean[] taken = new boolean[reference.size()];
    match(hypothesis, reference, partners, taken);
    match(stems(hypothesis), stems(reference), partners, taken);
    return partners;
  }

  private static void match(
      List<String> hypothesis, List<String> reference, int[] partners, boolean[] taken) {
    for (int i = partners.length - 1; i >= 0; i--) {
      for (int j = taken.length - 1; j >= 0 && partners[i] < 0; j--) {
        if (!taken[j] && hypothesis.get(i).equals(reference.get(j))) {
          partners[i] = j;
          taken[j] = true;
        }
      }
    }
  }

  private static List<String> stems(List<String> words) {
    return words.stream().map(PorterStemmer::stem).toList();
  }
}
