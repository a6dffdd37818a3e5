package dev.gatun.models.generate;

import java.util.Map;

/// How the next token is chosen: begin with [#greedy] and change what shall differ.
///
/// @param maxNewTokens tokens to make at most
/// @param choice what is chosen from, and how
/// @param penalties what makes repetitions rarer
/// @param logitBias added to the logits of some ids
/// @param seed of the choice
public record Sampling(
    int maxNewTokens,
    Choice choice,
    Penalties penalties,
    Map<Integer, Double> logitBias,
    long seed) {
  /// Checks the ranges.
  public Sampling {
    check("max_new_tokens", maxNewTokens, maxNewTokens >= 1, "at least 1");
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach((id, bias) ->
        check(
            "logit_bias",
            id + ": " + bias,
            id >= 0 && Double.isFinite(bias),
            "ids and finite numbers"));
  }

  /// The tokens that may be chosen, and how.
  ///
  /// @param temperature divisor of the logits; 0 takes the largest (greedy)
  /// @param topK tokens to choose from at most; 0 for all
  /// @param topP share of the probability to choose from, above 0; 1 for all
  /// @param minP share of the likeliest token's probability below which a token is not chosen; 0
  ///   for none (Nguyen et al., arXiv:2407.01082)
  public record Choice(double temperature, int topK, double topP, double minP) {
    /// The largest logit.
    public static final Choice GREEDY = new Choice(0, 0, 1, 0);

    /// Checks the ranges.
    public Choice {
      check(
          "temperature",
          temperature,
          temperature >= 0 && Double.isFinite(temperature),
          "0 or more");
      check("top_k", topK, topK >= 0, "0 or more");
      check("top_p", topP, topP > 0 && topP <= 1, "above 0, at most 1");
      check("min_p", minP, minP >= 0 && minP <= 1, "0 to 1");
    }
  }

  /// What makes repetitions rarer.
  ///
  /// @param repetition divisor of positive logits, and factor of negative ones, of ids seen before,
  ///   in the prompt too; 1 for none (Keskar et al., arXiv:1909.05858)
  /// @param presence taken from the logits of ids that were made before, -2 to 2; 0 for none
  /// @param frequency taken from those logits once for each time, -2 to 2; 0 for none
  /// @param noRepeatNgram length of the runs of ids, prompt included, that may not come back; 0 for
  ///   none (Paulus et al., arXiv:1705.04304)
  public record Penalties(double repetition, double presence, double frequency, int noRepeatNgram) {
    /// No penalty.
    public static final Penalties NONE = new Penalties(1, 0, 0, 0);

    /// Checks the ranges.
    public Penalties {
      check(
          "repetition_penalty",
          repetition,
          repetition > 0 && Double.isFinite(repetition),
          "above 0");
      check("presence_penalty", presence, presence >= -2 && presence <= 2, "-2 to 2");
      check("frequency_penalty", frequency, frequency >= -2 && frequency <= 2, "-2 to 2");
      check("no_repeat_ngram", noRepeatNgram, noRepeatNgram >= 0, "0 or more");
    }
  }

  private static void check(String name, Object found, boolean fits, String expected) {
    if (!fits) {
      throw new IllegalArgumentException(name + ": found " + found + ", expected " + expected);
    }
  }

  /// {@return greedy choice of a number of tokens}
  ///
  /// @param maxNewTokens most new tokens, at least 1
  public static Sampling greedy(int maxNewTokens) {
    return new Sampling(maxNewTokens, Choice.GREEDY, Penalties.NONE, Map.of(), 0);
  }

  /// {@return this with another most number of new tokens}
  ///
  /// @param value [#maxNewTokens]
  public Sampling withMaxNewTokens(int value) {
    return new Sampling(value, choice, penalties, logitBias, seed);
  }

  /// {@return this with tokens drawn, and the choice narrowed}
  ///
  /// @param temperature as in [Choice]
  /// @param topK as in [Choice]
  /// @param topP as in [Choice]
  /// @param minP as in [Choice]
  public Sampling withChoice(double temperature, int topK, double topP, double minP) {
    Choice value = new Choice(temperature, topK, topP, minP);
    return new Sampling(maxNewTokens, value, penalties, logitBias, seed);
  }

  /// {@return this with penalties}
  ///
  /// @param repetition as in [Penalties]
  /// @param presence as in [Penalties]
  /// @param frequency as in [Penalties]
  /// @param noRepeatNgram as in [Penalties]
  public Sampling withPenalties(
      double repetition, double presence, double frequency, int noRepeatNgram) {
    Penalties value = new Penalties(repetition, presence, frequency, noRepeatNgram);
    return new Sampling(maxNewTokens, choice, value, logitBias, seed);
  }

  /// {@return this with something added to logits}
  ///
  /// @param value [#logitBias]
  public Sampling withLogitBias(Map<Integer, Double> value) {
    return new Sampling(maxNewTokens, choice, penalties, value, seed);
  }

  /// {@return this with another seed}
  ///
  /// @param value [#seed]
  public Sampling withSeed(long value) {
    return new Sampling(maxNewTokens, choice, penalties, logitBias, value);
  }
}
