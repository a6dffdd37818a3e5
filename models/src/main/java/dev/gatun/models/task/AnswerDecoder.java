package dev.gatun.models.task;

import dev.gatun.models.task.QuestionWindows.Window;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Chooses the answer to a question from the logits of its windows.
///
/// In each window the `nBest` likeliest first and last tokens are paired; of the pairs that lie in
/// the text in order and are not too long, the `nBest` with the largest sums over all windows are
/// kept. Where a question may have no answer, the pair of first tokens with the smallest sum stands
/// for that: it is the answer if it exceeds the best text by more than the threshold. Source:
/// transformers' `run_qa`, `postprocess_qa_predictions`; differs from it in: where no pair is
/// possible the answer is empty, not the word "empty".
///
/// @param nBest pairs to keep
/// @param maxAnswerLength tokens of an answer at most
/// @param mayBeEmpty whether a question may have no answer, as in SQuAD 2.0
/// @param nullThreshold how much more likely no answer has to be than the best one
public record AnswerDecoder(
    int nBest, int maxAnswerLength, boolean mayBeEmpty, double nullThreshold) {
  /// The settings of `run_qa` for SQuAD 1.1.
  public static final AnswerDecoder SQUAD_1 = new AnswerDecoder(20, 30, false, 0);

  /// The settings of `run_qa` for SQuAD 2.0.
  public static final AnswerDecoder SQUAD_2 = new AnswerDecoder(20, 30, true, 0);

  /// Checks the numbers.
  public AnswerDecoder {
    if (nBest < 1 || maxAnswerLength < 1 || Double.isNaN(nullThreshold)) {
      throw new IllegalArgumentException(
          "answers: n_best %d, longest %d, threshold %s: expected at least 1, 1, and a number"
              .formatted(nBest, maxAnswerLength, nullThreshold));
    }
  }

  /// A possible answer.
  ///
  /// @param text part of the context; empty for none
  /// @param score sum of the logits of its first and last token
  /// @param probability softmax of the scores over those kept
  public record Candidate(String text, double score, double probability) {}

  /// An answer with the others.
  ///
  /// @param text the answer; empty for none
  /// @param best those kept, best first
  /// @param nullDifference how much the score of no answer exceeds that of the best text; 0 where
  ///   there is always an answer. Metrics of SQuAD 2.0 search the best threshold with it
  public record Decoded(String text, List<Candidate> best, double nullDifference) {}

  /// Logits of one window.
  ///
  /// @param window the window
  /// @param starts for each of its tokens, that the answer begins there
  /// @param ends for each of its tokens, that the answer ends there
  public record Logits(Window window, float[] starts, float[] ends) {
    /// Checks the lengths.
    public Logits {
      int tokens = window.ids().length;
      if (starts.length < tokens || ends.length < tokens) {
        throw new IllegalArgumentException(
            "answers: found %d and %d logits, expected %d"
                .formatted(starts.length, ends.length, tokens));
      }
    }
  }

  private record Pair(String text, double score) {}

  /// Chooses.
  ///
  /// @param row the question
  /// @param windows its windows with their logits, at least one
  /// @return the answer
  public Decoded decode(QuestionRow row, List<Logits> windows) {
    List<Pair> pairs = new ArrayList<>();
    double none = Double.POSITIVE_INFINITY;
    for (Logits logits : windows) {
      none = Math.min(none, (double) logits.starts[0] + logits.ends[0]);
      addPairs(row.context(), logits, pairs);
    }
    Pair empty = new Pair("", none);
    if (mayBeEmpty) {
      pairs.add(empty);
    }
    pairs.sort(Comparator.comparingDouble(Pair::score).reversed());
    List<Pair> kept = new ArrayList<>(pairs.subList(0, Math.min(nBest, pairs.size())));
    if (mayBeEmpty && !kept.contains(empty)) {
      kept.add(empty);
    }
    double largest = kept.isEmpty() ? 0 : kept.getFirst().score;
    double sum = kept.stream().mapToDouble(pair -> Math.exp(pair.score - largest)).sum();
    List<Candidate> best =
        kept.stream()
            .map(p -> new Candidate(p.text, p.score, Math.exp(p.score - largest) / sum))
            .toList();
    Pair text = kept.stream().filter(pair -> !pair.text.isEmpty()).findFirst().orElse(empty);
    double difference = mayBeEmpty ? none - text.score : 0;
    boolean isEmpty = mayBeEmpty && difference > nullThreshold;
    return new Decoded(isEmpty ? "" : text.text, best, difference);
  }

  private void addPairs(String context, Logits logits, List<Pair> pairs) {
    Window window = logits.window;
    int from = window.contextStart();
    int to = from + window.starts().length;
    int[] lasts = likeliest(logits.ends, window.ids().length);
    for (int first : likeliest(logits.starts, window.ids().length)) {
      for (int last : lasts) {
        boolean inText = first >= from && last < to;
        if (inText && last >= first && last - first < maxAnswerLength) {
          String text =
              context.substring(window.starts()[first - from], window.ends()[last - from]);
          pairs.add(new Pair(text, (double) logits.starts[first] + logits.ends[last]));
        }
      }
    }
  }

  private int[] likeliest(float[] logits, int tokens) {
    return IntStream.range(0, tokens)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -logits[i]))
        .limit(nBest)
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
