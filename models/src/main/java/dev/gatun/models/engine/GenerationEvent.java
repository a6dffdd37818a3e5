package dev.gatun.models.engine;

import java.util.List;

/// What an [Engine] tells of a request, in order: texts and ends of its choices, then once its end.
public sealed interface GenerationEvent {
  /// More text of a choice: whole characters, and nothing that might yet turn out to begin a stop
  /// text.
  ///
  /// @param choice number of the choice, from 0
  /// @param text what comes next; may be empty, where tokens wait for the rest of a character
  /// @param tokens the tokens that were chosen since the last text
  record Text(int choice, String text, List<Token> tokens) implements GenerationEvent {}

  /// The end of a choice.
  ///
  /// @param choice number of the choice
  /// @param reason why it ended
  record ChoiceEnded(int choice, FinishReason reason) implements GenerationEvent {}

  /// The end of the request: all choices have ended.
  ///
  /// @param usage what it took
  record Ended(Usage usage) implements GenerationEvent {}

  /// A token that was chosen.
  ///
  /// @param id its id
  /// @param logprob logarithm of its probability as the model gave it, before penalties and
  ///   temperature; NaN where the request has not asked for it
  /// @param likeliest the likeliest ids there, likeliest first; as many as the request asked for
  record Token(int id, double logprob, List<Candidate> likeliest) {}

  /// An id that could have been chosen.
  ///
  /// @param id the id
  /// @param logprob logarithm of its probability
  record Candidate(int id, double logprob) {}
}
