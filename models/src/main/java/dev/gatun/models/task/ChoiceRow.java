package dev.gatun.models.task;

import java.util.List;

/// A question with answers to choose from.
///
/// @param subject what it is about, for example `abstract_algebra`
/// @param question the question
/// @param choices the answers
/// @param answer index of the right one
public record ChoiceRow(String subject, String question, List<String> choices, int answer) {
  /// Copies the list.
  public ChoiceRow {
    choices = List.copyOf(choices);
  }
}
