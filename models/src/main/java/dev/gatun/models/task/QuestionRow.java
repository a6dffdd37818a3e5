package dev.gatun.models.task;

import java.util.List;

/// A question whose answer is a part of a text.
///
/// @param id the file's name for the question
/// @param context the text
/// @param question the question
/// @param answers right answers, in a development set by several people; empty where the text has
///   none
public record QuestionRow(String id, String context, String question, List<Answer> answers) {
  /// Copies the list.
  public QuestionRow {
    answers = List.copyOf(answers);
  }

  /// A part of the context.
  ///
  /// @param text the part
  /// @param start index of its first `char` in the context; the files count Unicode code points
  public record Answer(String text, int start) {
    /// {@return index of the `char` behind it}
    public int end() {
      return start + text.length();
    }
  }
}
