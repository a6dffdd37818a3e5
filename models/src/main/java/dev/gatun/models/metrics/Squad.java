package dev.gatun.models.metrics;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleBiFunction;
import java.util.regex.Pattern;

/// Answers to questions, scored as SQuAD's own scripts do: case, punctuation, English articles and
/// white space do not matter, and the best of several right answers counts.
///
/// Source: Rajpurkar et al. 2016, arXiv:1606.05250, `evaluate-v1.1.py`; Rajpurkar et al. 2018,
/// arXiv:1806.03822, `evaluate-v2.0.py`.
///
/// @param exactMatch percentage of the predictions that equal a right answer
/// @param f1 mean F1 of the predictions' words, in percent
/// @param total number of questions
public record Squad(double exactMatch, double f1, int total) {
  private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");

  /// Words as Python's `\b` bounds them.
  private static final Pattern ARTICLES =
      Pattern.compile("(?<![\\p{L}\\p{N}_])(a|an|the)(?![\\p{L}\\p{N}_])");

  /// Scores of SQuAD 2.0, where a question may have no answer and the right prediction is then the
  /// empty text.
  ///
  /// @param all all questions
  /// @param hasAnswer those with an answer; empty if there are none
  /// @param noAnswer those without an answer; empty if there are none
  public record V2(Squad all, Optional<Squad> hasAnswer, Optional<Squad> noAnswer) {}

  /// Scores predictions as SQuAD 1.1 does.
  ///
  /// @param predictions one for each question
  /// @param answers right answers to each question, at least one
  /// @return the scores
  /// @throws IllegalArgumentException if there are no predictions, not as many as lists of answers,
  ///   or a list is empty
  public static Squad of(List<String> predictions, List<List<String>> answers) {
    Inputs.texts("SQuAD", predictions, answers);
    Sums sums = new Sums();
    for (int i = 0; i < predictions.size(); i++) {
      sums.add(
          exactMatch(predictions.get(i), answers.get(i)), f1(predictions.get(i), answers.get(i)));
    }
    return sums.mean().orElseThrow();
  }

  /// Scores predictions as SQuAD 2.0 does, without a threshold: a prediction says "no answer" if
  /// and only if nothing is left of it by [#normalize(String)].
  ///
  /// @param predictions one for each question
  /// @param answers right answers to each question, none if it has no answer
  /// @return the scores
  /// @throws IllegalArgumentException if there are no predictions, or not as many as lists of
  ///   answers
  public static V2 v2(List<String> predictions, List<List<String>> answers) {
    Inputs.pairs("SQuAD 2.0", predictions.size(), answers.size());
    Sums all = new Sums();
    Sums hasAnswer = new Sums();
    Sums noAnswer = new Sums();
    for (int i = 0; i < predictions.size(); i++) {
      List<String> right =
          answers.get(i).stream().filter(answer -> !normalize(answer).isEmpty()).toList();
      if (right.isEmpty()) {
        right = List.of("");
      }
      double exact = exactMatch(predictions.get(i), right);
      double f1 = best(predictions.get(i), right, Squad::wordF1OrBothEmpty);
      all.add(exact, f1);
      (answers.get(i).isEmpty() ? noAnswer : hasAnswer).add(exact, f1);
    }
    return new V2(all.mean().orElseThrow(), hasAnswer.mean(), noAnswer.mean());
  }

  /// Returns 1 if a prediction equals one of the answers after [#normalize(String)], else 0.
  ///
  /// @param prediction the predicted answer
  /// @param answers right answers, at least one
  /// @return 1 or 0
  /// @throws IllegalArgumentException if there are no answers
  public static double exactMatch(String prediction, List<String> answers) {
    return best(prediction, answers, (p, a) -> normalize(p).equals(normalize(a)) ? 1 : 0);
  }

  /// Returns the F1 of a prediction's words, 0 to 1, with the answer that gives most. It is 0 if no
  /// word is left, even on both sides, as SQuAD 1.1 has it.
  ///
  /// @param prediction the predicted answer
  /// @param answers right answers, at least one
  /// @return the F1
  /// @throws IllegalArgumentException if there are no answers
  public static double f1(String prediction, List<String> answers) {
    return best(prediction, answers, Squad::wordF1);
  }

  /// {@return the text in lower case, without ASCII punctuation and the words "a", "an" and "the",
  /// and with single spaces}
  ///
  /// @param answer any text
  public static String normalize(String answer) {
    String plain = PUNCTUATION.matcher(answer.toLowerCase(Locale.ROOT)).replaceAll("");
    return String.join(" ", Tokenization.split(ARTICLES.matcher(plain).replaceAll(" ")));
  }

  private static double best(
      String prediction, List<String> answers, ToDoubleBiFunction<String, String> score) {
    Inputs.references("SQuAD", answers);
    double best = 0;
    for (String answer : answers) {
      best = Math.max(best, score.applyAsDouble(prediction, answer));
    }
    return best;
  }

  private static double wordF1(String prediction, String answer) {
    List<String> predicted = Tokenization.split(normalize(prediction));
    List<String> right = Tokenization.split(normalize(answer));
    Map<String, Integer> left = new HashMap<>();
    right.forEach(word -> left.merge(word, 1, Integer::sum));
    int same = 0;
    for (String word : predicted) {
      if (left.merge(word, -1, Integer::sum) >= 0) {
        same++;
      }
    }
    if (same == 0) {
      return 0;
    }
    double precision = (double) same / predicted.size();
    double recall = (double) same / right.size();
    return 2 * precision * recall / (precision + recall);
  }

  private static double wordF1OrBothEmpty(String prediction, String answer) {
    return normalize(prediction).isEmpty() && normalize(answer).isEmpty()
        ? 1
        : wordF1(prediction, answer);
  }

  private static final class Sums {
    private double exact;
    private double f1;
    private int total;

    void add(double questionExact, double questionF1) {
      exact += questionExact;
      f1 += questionF1;
      total++;
    }

    Optional<Squad> mean() {
      return total == 0
          ? Optional.empty()
          : Optional.of(new Squad(100 * exact / total, 100 * f1 / total, total));
    }
  }
}
