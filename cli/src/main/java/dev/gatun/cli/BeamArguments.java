package dev.gatun.cli;

import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.generate.Sampling;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How `gatun generate` searches with several beams.
final class BeamArguments {
  @Option(
      names = "--beams",
      paramLabel = "N",
      defaultValue = "1",
      description = "Go on with the N likeliest texts side by side. Default: 1.")
  private int beams;

  @Option(
      names = "--length-penalty",
      paramLabel = "X",
      description =
          "Power of its length that divides the score of a beam: above 0 prefers longer texts."
              + " Default: 1.")
  private @Nullable Double lengthPenalty;

  @Option(
      names = "--early-stopping",
      description = "End with the Nth finished beam, not when no better one is likely.")
  private boolean earlyStopping;

  /// Returns whether there are several beams.
  ///
  /// @throws IllegalArgumentException if the options contradict each other
  boolean isOn() {
    if (beams < 1) {
      throw new IllegalArgumentException("beams: found " + beams + ", expected at least 1");
    }
    if (beams == 1 && (lengthPenalty != null || earlyStopping)) {
      throw new IllegalArgumentException(
          (lengthPenalty != null ? "length_penalty" : "early_stopping")
              + ": found with one beam, expected --beams 2 or more");
    }
    return beams > 1;
  }

  /// Returns the search of those beams, with what it shares with a choice of tokens.
  ///
  /// @throws IllegalArgumentException if a setting is out of range, or tokens are to be drawn
  BeamSearch.Options options(Sampling sampling) {
    if (!sampling.choice().equals(Sampling.Choice.GREEDY)) {
      throw new IllegalArgumentException(
          "beams: found " + beams + " with --temperature, --top-k or --top-p, expected either");
    }
    return new BeamSearch.Options(
        beams,
        sampling.maxNewTokens(),
        lengthPenalty == null ? 1 : lengthPenalty,
        sampling.penalties().noRepeatNgram(),
        sampling.penalties().repetition(),
        earlyStopping);
  }
}
