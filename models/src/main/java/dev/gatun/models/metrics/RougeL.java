package dev.gatun.models.metrics;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// ROUGE-L: how much of two texts is their longest common subsequence of words.
///
/// Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries".
///
/// @param precision length of the common subsequence / length of the prediction, 0 to 1
/// @param recall length of the common subsequence / length of the reference, 0 to 1
/// @param f1 their harmonic mean
public record RougeL(double precision, double recall, double f1) {
  private static final Pattern BETWEEN_WORDS = Pattern.compile("[^a-z0-9]+");

  /// Square of beta 1.2, the weight of the recall in coco-caption's ROUGE-L.
  private static final double BETA_SQUARED = 1.2 * 1.2;

  /// What happens to words before they are compared.
  public enum Stemming {
    /// Nothing.
    NONE,
    /// Words of more than three letters are cut to Porter's stem.
    PORTER
  }

  /// Compares a prediction with references as Google's `rouge_score` does: in lower case, words of
  /// ASCII letters and digits; the first reference of the best F1 counts.
  ///
  /// @param prediction the text to score
  /// @param references texts to compare with, at least one
  /// @param stemming whether words are cut to stems
  /// @return the score; all 0 if there is no word in common
  /// @throws IllegalArgumentException if there are no references
  public static RougeL of(String prediction, List<String> references, Stemming stemming) {
    Inputs.references("ROUGE-L", references);
    List<String> predicted = words(prediction, stemming);
    RougeL best = of(predicted, words(references.getFirst(), stemming));
    for (String reference : references.subList(1, references.size())) {
      RougeL next = of(predicted, words(reference, stemming));
      best = next.f1 > best.f1 ? next : best;
    }
    return best;
  }

  /// Returns the mean ROUGE-L of coco-caption, 0 to 1, which the E2E challenge reports too: words
  /// are cut at white space and compared as they are (both run a tokenizer before), precision and
  /// recall are each the best over the references, and recall weighs more, with beta 1.2.
  ///
  /// @param hypotheses the texts to score
  /// @param references for each of them one or more references
  /// @return the mean
  /// @throws IllegalArgumentException if there are no texts, not as many as lists of references, or
  ///   a list is empty
  public static double coco(List<String> hypotheses, List<List<String>> references) {
    Inputs.texts("ROUGE-L", hypotheses, references);
    double sum = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      List<String> hypothesis = Tokenization.split(hypotheses.get(i));
      double precision = 0;
      double recall = 0;
      for (String reference : references.get(i)) {
        RougeL next = of(hypothesis, Tokenization.split(reference));
        precision = Math.max(precision, next.precision);
        recall = Math.max(recall, next.recall);
      }
      if (precision > 0) {
        sum += (1 + BETA_SQUARED) * precision * recall / (recall + BETA_SQUARED * precision);
      }
    }
    return sum / hypotheses.size();
  }

  private static RougeL of(List<String> prediction, List<String> reference) {
    int common = common(prediction, reference);
    if (common == 0) {
      return new RougeL(0, 0, 0);
    }
    double precision = (double) common / prediction.size();
    double recall = (double) common / reference.size();
    return new RougeL(precision, recall, 2 * precision * recall / (precision + recall));
  }

  private static List<String> words(String text, Stemming stemming) {
    return BETWEEN_WORDS
        .splitAsStream(text.toLowerCase(Locale.ROOT))
        .filter(word -> !word.isEmpty())
        .map(word ->
            stemming == Stemming.PORTER && word.length() > 3 ? PorterStemmer.stem(word) : word)
        .toList();
  }

  /// Returns the length of the longest common subsequence.
  private static int common(List<String> a, List<String> b) {
    int[] row = new int[b.size() + 1];
    for (String word : a) {
      int diagonal = 0;
      for (int j = 1; j <= b.size(); j++) {
        int above = row[j];
        row[j] = word.equals(b.get(j - 1)) ? diagonal + 1 : Math.max(above, row[j - 1]);
        diagonal = above;
      }
    }
    return row[b.size()];
  }
}
