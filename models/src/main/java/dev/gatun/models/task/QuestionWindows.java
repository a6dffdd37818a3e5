package dev.gatun.models.task;

import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.data.SpanTokenizer.Spans;
import dev.gatun.models.task.QuestionRow.Answer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Cuts a question's text into windows that a model can read, each with the whole question before
/// it, as transformers cuts it with `truncation="only_second"` and a `stride`.
///
/// A window is labelled with the first answer if that lies in it, else with its first token.
/// Source: transformers' `run_qa`; differs from it in: an answer that begins with the last token of
/// the text is labelled with that token, not with the last of the window.
///
/// @param tokenizer encodes both texts
/// @param layout the model's tokens around them
/// @param maxLength tokens of a window at most
/// @param stride tokens of the text that a window shares with the one before
public record QuestionWindows(
    SpanTokenizer tokenizer, PairLayout layout, int maxLength, int stride) {
  /// Checks the numbers.
  public QuestionWindows {
    if (maxLength < 1 || stride < 0) {
      throw new IllegalArgumentException(
          "windows: length %d, stride %d: expected at least 1 and 0".formatted(maxLength, stride));
    }
  }

  /// One window.
  ///
  /// @param ids all its tokens
  /// @param contextStart index of the text's first token
  /// @param starts indices in the text of the first `char` of each of the text's tokens
  /// @param ends indices behind their last
  /// @param startLabel index among `ids` of the answer's first token, or 0
  /// @param endLabel index among `ids` of the answer's last token, or 0
  public record Window(
      int[] ids, int contextStart, int[] starts, int[] ends, int startLabel, int endLabel) {}

  /// Cuts a question's text.
  ///
  /// @param row the question
  /// @return one window or more
  /// @throws IllegalArgumentException if the question leaves no more room than the stride
  public List<Window> of(QuestionRow row) {
    int[] question = tokenizer.encode(row.question().stripLeading());
    int[] before = PairLayout.join(layout.before(), question, layout.between());
    Spans context = tokenizer.encodeSpans(row.context());
    int room = maxLength - before.length - layout.after().length;
    if (room <= stride) {
      throw new IllegalArgumentException(
          "question %s: found room for %d tokens of the text beside its own %d, expected %d or more"
              .formatted(row.id(), room, question.length, stride + 1));
    }
    List<Window> windows = new ArrayList<>();
    int length = context.ids().length;
    int from = 0;
    while (from + room < length) {
      windows.add(window(row, before, context, from, from + room));
      from += room - stride;
    }
    windows.add(window(row, before, context, from, length));
    return windows;
  }

  private Window window(QuestionRow row, int[] before, Spans context, int from, int to) {
    int[] starts = Arrays.copyOfRange(context.starts(), from, to);
    int[] ends = Arrays.copyOfRange(context.ends(), from, to);
    int[] ids =
        PairLayout.join(before, Arrays.copyOfRange(context.ids(), from, to), layout.after());
    int last = starts.length - 1;
    if (row.answers().isEmpty() || last < 0) {
      return new Window(ids, before.length, starts, ends, 0, 0);
    }
    Answer answer = row.answers().getFirst();
    if (starts[0] > answer.start() || ends[last] < answer.end()) {
      return new Window(ids, before.length, starts, ends, 0, 0);
    }
    int first = 0;
    while (first < last && starts[first + 1] <= answer.start()) {
      first++;
    }
    while (last > 0 && ends[last - 1] >= answer.end()) {
      last--;
    }
    int at = before.length;
    return new Window(ids, at, starts, ends, at + first, at + last);
  }
}
