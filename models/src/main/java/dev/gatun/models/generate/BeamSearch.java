package dev.gatun.models.generate;

import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Norm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/// Continues one sequence by several texts side by side, over one cache, and keeps the likeliest.
/// Not thread-safe.
///
/// A step takes, of all texts with one more token, the likeliest (1 + stop ids) * beams. Those
/// among its first `beams` that end are finished; the likeliest `beams` that do not go on. The
/// prompt runs once. Source: transformers 5, `GenerationMixin._beam_search`, for one prompt;
/// differs from it in: a vocabulary too small for that many beams gives fewer, not copies of one.
///
/// @param model the model
/// @param addition what goes with it, or [PassAddition#NONE]
/// @param stops ids that end a text; they are not part of the result
public record BeamSearch(CausalLm model, PassAddition addition, Set<Integer> stops) {
  /// How to search.
  ///
  /// @param beams texts that go on side by side
  /// @param maxNewTokens tokens to make at most
  /// @param lengthPenalty power of the number of new tokens, the stop id included, that divides the
  ///   logarithm of a finished text's probability: above 0 longer texts are preferred, below 0
  ///   shorter ones
  /// @param noRepeatNgram as in [Sampling]
  /// @param repetitionPenalty as in [Sampling], of the logarithms of the probabilities
  /// @param earlyStopping whether the search ends with the `beams`th finished text; otherwise it
  ///   ends when the likeliest text that goes on, at its present length, scores below all of those
  public record Options(
      int beams,
      int maxNewTokens,
      double lengthPenalty,
      int noRepeatNgram,
      double repetitionPenalty,
      boolean earlyStopping) {
    /// Checks the ranges.
    public Options {
      if (beams < 1) {
        throw new IllegalArgumentException("beams: found " + beams + ", expected at least 1");
      }
      if (maxNewTokens < 1) {
        throw new IllegalArgumentException(
            "max_new_tokens: found " + maxNewTokens + ", expected at least 1");
      }
      if (!Double.isFinite(lengthPenalty)) {
        throw new IllegalArgumentException(
            "length_penalty: found " + lengthPenalty + ", expected a finite number");
      }
      new Sampling.Penalties(repetitionPenalty, 0, 0, noRepeatNgram); // checks both
    }
  }

  /// A finished text.
  ///
  /// @param ids new ids, without the prompt and without the stop id
  /// @param stopped whether a stop id ended it
  /// @param score logarithm of its probability, after the penalties
  public record Hypothesis(int[] ids, boolean stopped, double score) {}

  /// What a search found.
  ///
  /// @param hypotheses at most `beams`, best first; at least one
  /// @param tokensPerSecond steps over the time after the prompt's pass: tokens of one text
  public record Found(List<Hypothesis> hypotheses, double tokensPerSecond) {}

  /// A text that may go on: prompt and new ids, and the logarithm of its probability.
  private record Beam(int[] text, double score) {
    Beam with(int id, double total) {
      int[] longer = Arrays.copyOf(text, text.length + 1);
      longer[text.length] = id;
      return new Beam(longer, total);
    }
  }

  /// One more token for a beam.
  private record Candidate(int beam, int id, double score) {}

  /// Searches.
  ///
  /// @param prompt at least one id
  /// @param options how to search
  /// @return the best texts
  /// @throws ShapeException if the prompt is empty, has an id outside the vocabulary or more ids
  ///   than the model has positions; new tokens end where the positions do
  /// @throws IllegalArgumentException if there are more beams than ids
  public Found search(int[] prompt, Options options) {
    int most = CachedModel.room(model, prompt, options.maxNewTokens);
    if (options.beams > model.vocabulary()) {
      throw new IllegalArgumentException(
          "beams: found %d, expected at most the vocabulary's %d"
              .formatted(options.beams, model.vocabulary()));
    }
    Finished finished = new Finished(prompt.length, options);
    List<Beam> beams = List.of(new Beam(prompt, 0));
    int made = 0;
    long start = 0;
    try (Scope scope = Scope.open(model.device())) {
      int tokens = prompt.length + most - 1;
      CachedModel cached = new CachedModel(scope, model, addition, options.beams, tokens);
      int[] next = prompt;
      while (!beams.isEmpty() && finished.mayImprove(beams.getFirst())) {
        List<Candidate> best = best(scores(scope, cached, next), beams, options);
        if (made++ == 0) {
          start = System.nanoTime();
        }
        if (best.isEmpty()) { // each token would repeat an n-gram
          beams.forEach(beam -> finished.add(beam, false));
          break;
        }
        List<Candidate> chosen = new ArrayList<>();
        List<Beam> longer = new ArrayList<>();
        for (int rank = 0; rank < best.size(); rank++) {
          Candidate candidate = best.get(rank);
          Beam beam = beams.get(candidate.beam).with(candidate.id, candidate.score);
          boolean stopped = stops.contains(candidate.id);
          if (!stopped && made < most) {
            chosen.add(candidate);
            longer.add(beam);
          } else if (rank < options.beams) {
            finished.add(beam, stopped);
          }
          if (chosen.size() == options.beams) {
            break;
          }
        }
        beams = longer;
        if (!beams.isEmpty()) {
          cached.reorder(scope, chosen.stream().mapToInt(Candidate::beam).toArray());
          next = chosen.stream().mapToInt(Candidate::id).toArray();
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Found(finished.hypotheses(), made < 2 ? 0 : (made - 1) / seconds);
  }

  /// Returns the logarithms of the next token's probabilities, beam by beam.
  private float[] scores(Scope owner, CachedModel cached, int[] ids) {
    try (Scope scope = owner.child()) {
      Tensor logits = Layout.to(scope, cached.logits(scope, ids), DType.F32);
      return Norm.logSoftmax(scope, logits).toFloats();
    }
  }

  /// Returns the likeliest beams with one more token, best first.
  private List<Candidate> best(float[] scores, List<Beam> beams, Options options) {
    int count = Math.max(2, 1 + stops.size()) * options.beams;
    Repetition repetition = new Repetition(options.repetitionPenalty, options.noRepeatNgram);
    Comparator<Candidate> worstFirst = Comparator.comparingDouble(Candidate::score);
    PriorityQueue<Candidate> best = new PriorityQueue<>(count + 1, worstFirst);
    int width = model.vocabulary();
    for (int b = 0; b < beams.size(); b++) {
      Beam beam = beams.get(b);
      float[] row = Arrays.copyOfRange(scores, b * width, (b + 1) * width);
      repetition.apply(row, beam.text);
      for (int id = 0; id < width; id++) {
        double score = beam.score + row[id];
        boolean isBetter = best.size() < count || score > best.element().score;
        if (isBetter && score > Double.NEGATIVE_INFINITY) {
          best.add(new Candidate(b, id, score));
          if (best.size() > count) {
            best.remove();
          }
        }
      }
    }
    return best.stream().sorted(worstFirst.reversed()).toList();
  }

  /// The best finished texts so far.
  private static final class Finished {
    private final int prompt;
    private final Options options;
    private final List<Hypothesis> best = new ArrayList<>();

    Finished(int prompt, Options options) {
      this.prompt = prompt;
      this.options = options;
    }

    /// Takes a text, which a stop id may end, if it is among the best.
    void add(Beam beam, boolean stopped) {
      int end = beam.text.length - (stopped ? 1 : 0);
      int[] ids = Arrays.copyOfRange(beam.text, prompt, end);
      best.add(new Hypothesis(ids, stopped, penalised(beam)));
      best.sort(Comparator.comparingDouble(Hypothesis::score).reversed());
      if (best.size() > options.beams) {
        best.removeLast();
      }
    }

    /// Returns whether texts that go on, this the best of them, could still be among the best.
    boolean mayImprove(Beam running) {
      if (best.size() < options.beams) {
        return true;
      }
      return !options.earlyStopping && penalised(running) > best.getLast().score;
    }

    List<Hypothesis> hypotheses() {
      return List.copyOf(best);
    }

    private double penalised(Beam beam) {
      int tokens = Math.max(1, beam.text.length - prompt);
      return beam.score / Math.pow(tokens, options.lengthPenalty);
    }
  }
}
