package dev.gatun.models.engine;

import dev.gatun.models.generate.Sampling;
import dev.gatun.models.generate.TokenConstraint;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is asked of an [Engine]: begin with [#of] and change what shall differ.
///
/// @param prompt at least one id
/// @param adapter the adapter that the text goes through, or null for the model as it is
/// @param sampling how tokens are chosen; choice i draws with the same seed on its own
/// @param stops texts that end a choice; they are not part of it
/// @param ignoreStopIds whether the model's stop ids are tokens like others
/// @param choices texts to make of the one prompt, at least 1
/// @param logprobs how many of the likeliest ids are told with each token; 0 for the token's own
///   logarithm alone, -1 for nothing
/// @param constraint what the text may be, or null for anything; each choice has a copy of it
/// @param ensemble draws of the adapter's masks that are averaged at each token, or null for the
///   adapter as it is; each draw takes a row of the passes and pages of its own
public record GenerationRequest(
    int[] prompt,
    @Nullable AdapterHandle adapter,
    Sampling sampling,
    List<String> stops,
    boolean ignoreStopIds,
    int choices,
    int logprobs,
    @Nullable TokenConstraint constraint,
    @Nullable AdapterEnsemble ensemble) {
  /// Most choices of one request.
  public static final int MOST_CHOICES = 128;

  /// Most ids that are told with a token.
  public static final int MOST_LOGPROBS = 20;

  /// Checks the ranges.
  public GenerationRequest {
    prompt = prompt.clone();
    stops = List.copyOf(stops);
    check("choices", choices, 1, MOST_CHOICES);
    check("logprobs", logprobs, -1, MOST_LOGPROBS);
    if (stops.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException(
          "stop: found an empty text, expected at least a character");
    }
  }

  private static void check(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s: found %d, expected %d to %d".formatted(name, value, least, most));
    }
  }

  /// {@return a request without an adapter, for one choice}
  ///
  /// @param prompt at least one id
  /// @param sampling how tokens are chosen
  public static GenerationRequest of(int[] prompt, Sampling sampling) {
    return new GenerationRequest(prompt, null, sampling, List.of(), false, 1, -1, null, null);
  }

  /// {@return this with another prompt}
  ///
  /// @param value [#prompt]
  public GenerationRequest withPrompt(int[] value) {
    return new GenerationRequest(
        value, adapter, sampling, stops, ignoreStopIds, choices, logprobs, constraint, ensemble);
  }

  /// {@return this through an adapter}
  ///
  /// @param value [#adapter]
  public GenerationRequest withAdapter(@Nullable AdapterHandle value) {
    return new GenerationRequest(
        prompt, value, sampling, stops, ignoreStopIds, choices, logprobs, constraint, ensemble);
  }

  /// {@return this with other ends}
  ///
  /// @param texts [#stops]
  /// @param ignoreIds [#ignoreStopIds]
  public GenerationRequest withStops(List<String> texts, boolean ignoreIds) {
    return new GenerationRequest(
        prompt, adapter, sampling, texts, ignoreIds, choices, logprobs, constraint, ensemble);
  }

  /// {@return this with several choices}
  ///
  /// @param value [#choices]
  public GenerationRequest withChoices(int value) {
    return new GenerationRequest(
        prompt, adapter, sampling, stops, ignoreStopIds, value, logprobs, constraint, ensemble);
  }

  /// {@return this with logarithms of probabilities}
  ///
  /// @param value [#logprobs]
  public GenerationRequest withLogprobs(int value) {
    return new GenerationRequest(
        prompt, adapter, sampling, stops, ignoreStopIds, choices, value, constraint, ensemble);
  }

  /// {@return this with a form that the text must have}
  ///
  /// @param value [#constraint]
  public GenerationRequest withConstraint(@Nullable TokenConstraint value) {
    return new GenerationRequest(
        prompt, adapter, sampling, stops, ignoreStopIds, choices, logprobs, value, ensemble);
  }

  /// {@return this through draws of the adapter's masks}
  ///
  /// @param value [#ensemble]
  public GenerationRequest withEnsemble(@Nullable AdapterEnsemble value) {
    return new GenerationRequest(
        prompt, adapter, sampling, stops, ignoreStopIds, choices, logprobs, constraint, value);
  }
}
