package dev.gatun.models.metrics;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Translation edit rate, as sacrebleu's `TER` with its default options computes it after Tercom:
/// the fewest insertions, deletions, substitutions and shifts of words that make a hypothesis one
/// of its references, divided by the mean length of the references. Words are cut at white space
/// and compared in lower case.
///
/// The shifts are searched for greedily, within Tercom's limits: up to 10 words at once, over up to
/// 50 places, and edits within 25 words of the diagonal.
///
/// Source: Snover et al. 2006, "A study of translation edit rate with targeted human annotation";
/// Post 2018, arXiv:1804.08771.
///
/// @param score edits per 100 words of reference, at least 0; 100 for edits without any word of
///   reference
/// @param edits number of edits
/// @param referenceWords sum of the texts' mean number of words of their references
public record Ter(double score, long edits, double referenceWords) {
  private static final int LONGEST_SHIFT = 10;
  private static final int FARTHEST_SHIFT = 50;

  /// Shifts tried for one text; then the best so far is not made, and the search ends.
  private static final int MOST_TRIED = 1000;

  /// Computes the rate.
  ///
  /// @param hypotheses the texts to score
  /// @param references for each of them one or more references; an empty one is a text without
  ///   words
  /// @return the rate
  /// @throws IllegalArgumentException if there are no texts, not as many as lists of references, or
  ///   a list has none but empty ones
  public static Ter of(List<String> hypotheses, List<List<String>> references) {
    Inputs.texts("TER", hypotheses, references);
    long edits = 0;
    double words = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      Map<String, Integer> ids = new HashMap<>();
      int[] hypothesis = ids(hypotheses.get(i), ids);
      int fewest = Integer.MAX_VALUE;
      long length = 0;
      for (String text : references.get(i)) {
        int[] reference = ids(text, ids);
        fewest = Math.min(fewest, new Search(hypothesis, reference).edits());
        length += reference.length;
      }
      edits += fewest;
      words += (double) length / references.get(i).size();
    }
    double rate = words > 0 ? edits / words : edits > 0 ? 1 : 0;
    return new Ter(100 * rate, edits, words);
  }

  private static int[] ids(String text, Map<String, Integer> ids) {
    return Tokenization.split(text.toLowerCase(Locale.ROOT)).stream()
        .mapToInt(word -> ids.computeIfAbsent(word, w -> ids.size()))
        .toArray();
  }

  /// Words of the hypothesis, from `from` on, that occur in the reference, from `in` on.
  private record Match(int from, int in, int length) {}

  /// A shift of some words of the hypothesis, and what it gains.
  private record Shift(int gain, int length, int from, int to) {
    /// Whether Tercom prefers this one: more gained, more words, from further left, to further
    /// left.
    boolean isBetterThan(@Nullable Shift other) {
      if (other == null || gain != other.gain) {
        return other == null || gain > other.gain;
      }
      if (length != other.length) {
        return length > other.length;
      }
      return from != other.from ? from < other.from : to < other.to;
    }

    /// Returns the words after the shift, which takes them to just before the word that was at
    /// `to`; a target among the shifted words themselves is as many words after their start.
    int[] apply(int[] words) {
      int at = Math.min(to > from + length ? to - length : to, words.length - length);
      int[] shifted = new int[words.length];
      int rest = 0;
      for (int i = 0; i < words.length; i++) {
        if (i >= at && i < at + length) {
          shifted[i] = words[from + i - at];
        } else {
          rest = rest == from ? from + length : rest;
          shifted[i] = words[rest++];
        }
      }
      return shifted;
    }
  }

  /// The greedy search for the shifts that make one hypothesis most like one reference.
  private static final class Search {
    private final int[] reference;
    private final EditDistance distance;
    private int[] words;
    private int tried;

    Search(int[] hypothesis, int[] reference) {
      this.words = hypothesis;
      this.reference = reference;
      this.distance = new EditDistance(hypothesis.length, reference);
    }

    int edits() {
      if (reference.length == 0) {
        return words.length;
      }
      int shifts = 0;
      Shift best = best();
      while (tried < MOST_TRIED && best != null && best.gain > 0) {
        words = best.apply(words);
        shifts++;
        best = best();
      }
      return shifts + distance.of(words);
    }

    private @Nullable Shift best() {
      int before = distance.of(words);
      Alignment alignment = distance.alignment();
      Shift best = null;
      for (int from = 0; from < words.length; from++) {
        int last = Math.min(from + FARTHEST_SHIFT, reference.length - 1);
        for (int match = Math.max(from - FARTHEST_SHIFT, 0); match <= last; match++) {
          int most =
              Math.min(LONGEST_SHIFT, Math.min(words.length - from, reference.length - match));
          for (int n = 1; n <= most && words[from + n - 1] == reference[match + n - 1]; n++) {
            Match candidate = new Match(from, match, n);
            if (alignment.isWorthShifting(candidate)) {
              best = best(best, before, alignment, candidate);
              if (tried >= MOST_TRIED) {
                return best;
              }
            }
          }
        }
      }
      return best;
    }

    /// Tries all places next to where the matching words of the reference are aligned.
    private @Nullable Shift best(
        @Nullable Shift found, int before, Alignment alignment, Match match) {
      Shift best = found;
      int previous = -1;
      for (int next = match.in;
          next <= match.in + match.length && next <= reference.length;
          next++) {
        int to = next == 0 ? 0 : alignment.partners[next - 1] + 1;
        if (to != previous) {
          previous = to;
          tried++;
          int after = distance.of(new Shift(0, match.length, match.from, to).apply(words));
          Shift shift = new Shift(before - after, match.length, match.from, to);
          best = shift.isBetterThan(best) ? shift : best;
        }
      }
      return best;
    }
  }

  /// Which words belong together after the cheapest edits without shifts.
  ///
  /// For each word of the reference the hypothesis' word it is aligned with, or the last one before
  /// it; then for both texts which words are not matched.
  private static final class Alignment {
    final int[] partners;
    final boolean[] referenceWrong;
    final boolean[] hypothesisWrong;

    Alignment(int hypothesis, int reference) {
      partners = new int[reference];
      referenceWrong = new boolean[reference];
      hypothesisWrong = new boolean[hypothesis];
    }

    /// Whether words match the reference elsewhere, and both places are wrong now.
    boolean isWorthShifting(Match match) {
      int partner = partners[match.in];
      boolean within = match.from <= partner && partner < match.from + match.length;
      return !within
          && any(hypothesisWrong, match.from, match.length)
          && any(referenceWrong, match.in, match.length);
    }

    private static boolean any(boolean[] flags, int start, int length) {
      for (int i = start; i < start + length; i++) {
        if (flags[i]) {
          return true;
        }
      }
      return false;
    }
  }

  /// Edit distance from texts of one length to one reference, near the diagonal.
  private static final class EditDistance {
    private static final int BEAM = 25;

    /// More than any distance, with room to add 1.
    private static final int FAR = Integer.MAX_VALUE / 2;

    private final int[] reference;
    private final int[] words;
    private final int[][] costs;

    /// The rows up to this one are those of `words`.
    private int filled;

    EditDistance(int length, int[] reference) {
      this.reference = reference;
      words = new int[length];
      costs = new int[length + 1][reference.length + 1];
      Arrays.setAll(costs[0], j -> j);
    }

    /// Returns the distance of a text.
    int of(int[] text) {
      int same = Arrays.mismatch(words, text);
      int start = same < 0 ? filled : Math.min(filled, same);
      System.arraycopy(text, 0, words, 0, text.length);
      for (int i = start + 1; i <= words.length; i++) {
        fill(i);
      }
      filled = words.length;
      return costs[words.length][reference.length];
    }

    private void fill(int i) {
      double ratio = (double) reference.length / words.length;
      int beam = BEAM < ratio / 2 ? (int) Math.ceil(ratio / 2 + BEAM) : BEAM;
      int diagonal = (int) Math.floor(i * ratio);
      int end =
          i == words.length
              ? reference.length + 1
              : Math.min(reference.length + 1, diagonal + beam);
      Arrays.fill(costs[i], FAR);
      for (int j = Math.max(0, diagonal - beam); j < end; j++) {
        int deletion = costs[i - 1][j] + 1;
        costs[i][j] =
            j == 0
                ? deletion
                : Math.min(Math.min(substitution(i, j), deletion), costs[i][j - 1] + 1);
      }
    }

    private int substitution(int i, int j) {
      return costs[i - 1][j - 1] + (words[i - 1] == reference[j - 1] ? 0 : 1);
    }

    /// Returns the alignment of the text measured last. Of edits that cost the same a match or
    /// substitution is taken, then a deletion, then an insertion.
    Alignment alignment() {
      Alignment alignment = new Alignment(words.length, reference.length);
      int i = words.length;
      int j = reference.length;
      while (i > 0 || j > 0) {
        if (i > 0 && j > 0 && costs[i][j] == substitution(i, j)) {
          boolean wrong = words[i - 1] != reference[j - 1];
          i--;
          j--;
          alignment.partners[j] = i;
          alignment.referenceWrong[j] = wrong;
          alignment.hypothesisWrong[i] = wrong;
        } else if (i > 0 && costs[i][j] == costs[i - 1][j] + 1) {
          i--;
          alignment.hypothesisWrong[i] = true;
        } else {
          j--;
          alignment.partners[j] = i - 1;
          alignment.referenceWrong[j] = true;
        }
      }
      return alignment;
    }
  }
}
