package dev.gatun.models.generate;

/// How the next token is chosen.
///
/// @param maxNewTokens tokens to make at most
/// @param temperature divisor of the logits; 0 takes the largest (greedy)
/// @param topK tokens to choose from at most; 0 for all
/// @param topP share of the probability to choose from, above 0; 1 for all
/// @param repetitionPenalty divisor of positive logits, and factor of negative ones, of ids seen
///   before; 1 for none (Keskar et al., arXiv:1909.05858)
/// @param noRepeatNgram length of the runs of ids, prompt included, that may not come back; 0 for
///   none (Paulus et al., arXiv:1705.04304)
/// @param seed of the choice
public record Sampling(
    int maxNewTokens,
    double temperature,
    int topK,
    double topP,
    double repetitionPenalty,
    int noRepeatNgram,
    long seed) {
  /// Checks the ranges.
  public Sampling {
    if (maxNewTokens < 1) {
      throw new IllegalArgumentException(
          "max_new_tokens: found " + maxNewTokens + ", expected at least 1");
    }
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "temperature: found " + temperature + ", expected 0 or more");
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top_k: found " + topK + ", expected 0 or more");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("top_p: found " + topP + ", expected above 0, at most 1");
    }
    Repetition.check(repetitionPenalty, noRepeatNgram);
  }

  /// {@return greedy choice of a number of tokens}
  ///
  /// @param maxNewTokens most new tokens, at least 1
  public static Sampling greedy(int maxNewTokens) {
    return new Sampling(maxNewTokens, 0, 0, 1, 1, 0, 0);
  }

  Repetition repetition() {
    return new Repetition(repetitionPenalty, noRepeatNgram);
  }
}
