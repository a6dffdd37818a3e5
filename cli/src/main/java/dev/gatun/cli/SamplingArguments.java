package dev.gatun.cli;

import dev.gatun.models.generate.Sampling;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How `gatun generate` and `gatun chat` choose tokens.
final class SamplingArguments {
  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Tokens to make at most. Default: 64; chat: 512 an answer.")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 takes the likeliest token each time. Default: 0.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Choose from the K likeliest; 0: all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Choose from the likeliest that have this share of the probability.")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description = "Leave out tokens less likely than this share of the likeliest; 0: none.")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Above 1: make ids that were there already less likely.")
  private double repetitionPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Taken from the logits of ids that were made before, -2 to 2. Default: 0.")
  private double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Taken from them once for each time, -2 to 2. Default: 0.")
  private double frequencyPenalty;

  @Option(
      names = "--no-repeat-ngram",
      paramLabel = "N",
      defaultValue = "0",
      description = "Let no run of N ids come back; 0: any may. Default: 0.")
  private int noRepeatNgram;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Text that ends the answer and is no part of it; may be given several times.")
  private List<String> stops = List.of();

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the choice. Default: 0.")
  private long seed;

  /// Returns the texts that end an answer.
  List<String> stops() {
    return stops;
  }

  /// Returns the choice of tokens.
  ///
  /// @param usual tokens at most where no option says
  /// @throws RefusedException if a number is out of its range
  Sampling sampling(int usual) {
    if (stops.stream().anyMatch(String::isEmpty)) {
      throw new RefusedException("--stop: found an empty text, expected at least a character");
    }
    try {
      return Sampling.greedy(maxNewTokens == null ? usual : maxNewTokens)
          .withChoice(temperature, topK, topP, minP)
          .withPenalties(repetitionPenalty, presencePenalty, frequencyPenalty, noRepeatNgram)
          .withSeed(seed);
    } catch (IllegalArgumentException e) {
      throw refused(e);
    }
  }

  /// Returns the refusal of a setting, by its option's name.
  static RefusedException refused(IllegalArgumentException setting) {
    return new RefusedException("--" + String.valueOf(setting.getMessage()).replace('_', '-'));
  }
}
