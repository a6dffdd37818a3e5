package dev.gatun.models.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.task.AnswerDecoder.Candidate;
import dev.gatun.models.task.AnswerDecoder.Decoded;
import dev.gatun.models.task.AnswerDecoder.Logits;
import dev.gatun.models.task.QuestionRow.Answer;
import dev.gatun.models.task.QuestionWindows.Window;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/// From a text to windows and labels, and from logits back to an answer.
class AnswersTest {
  static final PairLayout LAYOUT = new PairLayout(new int[] {1}, new int[] {2, 3}, new int[] {4});

  private static final QuestionRow ROW =
      new QuestionRow("q", "a bb ccc dd e ff g", " x y", List.of(new Answer("ccc dd", 5)));

  /// Each word is a token, its length the id; blanks are none.
  record Words() implements SpanTokenizer {
    @Override
    public Spans encodeSpans(String text) {
      int[] starts = new int[text.length()];
      int[] ends = new int[text.length()];
      int count = 0;
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) != ' ') {
          if (i == 0 || text.charAt(i - 1) == ' ') {
            starts[count++] = i;
          }
          ends[count - 1] = i + 1;
        }
      }
      int[] ids = new int[count];
      for (int i = 0; i < count; i++) {
        ids[i] = 10 + ends[i] - starts[i];
      }
      return new Spans(ids, Arrays.copyOf(starts, count), Arrays.copyOf(ends, count));
    }

    @Override
    public int[] encodePair(String first, String second) {
      return PairLayout.join(
          LAYOUT.before(), encode(first), LAYOUT.between(), encode(second), LAYOUT.after());
    }

    @Override
    public int[] encode(String text) {
      return encodeSpans(text).ids();
    }

    @Override
    public String decode(int[] ids, boolean withSpecialTokens) {
      throw new UnsupportedOperationException();
    }

    @Override
    public byte[] bytes(int id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int vocabularySize() {
      return 20;
    }

    @Override
    public boolean beginsDocuments() {
      return false;
    }

    @Override
    public OptionalInt bosId() {
      return OptionalInt.empty();
    }

    @Override
    public OptionalInt eosId() {
      return OptionalInt.empty();
    }

    @Override
    public OptionalInt padId() {
      return OptionalInt.empty();
    }
  }

  private static List<Window> windows(int maxLength, int stride) {
    return new QuestionWindows(new Words(), LAYOUT, maxLength, stride).of(ROW);
  }

  @Test
  void windowsOverlapByTheStrideAndHoldTheWholeQuestion() {
    List<Window> windows = windows(10, 2); // room for 4 of 7 words
    assertThat(windows).hasSize(3);
    assertThat(windows.get(0).ids()).containsExactly(1, 11, 11, 2, 3, 11, 12, 13, 12, 4);
    assertThat(windows.get(1).ids()).containsExactly(1, 11, 11, 2, 3, 13, 12, 11, 12, 4);
    assertThat(windows.get(2).ids()).containsExactly(1, 11, 11, 2, 3, 11, 12, 11, 4);
    assertThat(windows).extracting(Window::contextStart).containsOnly(5);
    assertThat(windows).extracting(Window::startLabel).containsExactly(7, 5, 0);
    assertThat(windows).extracting(Window::endLabel).containsExactly(8, 6, 0);
    assertThat(windows.get(2).starts()).containsExactly(12, 14, 17);
    assertThat(windows.get(2).ends()).containsExactly(13, 16, 18);
    assertThat(windows(13, 3)).hasSize(1);
    assertThat(windows(12, 5)).hasSize(2);
  }

  @Test
  void questionsWithoutRoomAreRefused() {
    assertThatThrownBy(() -> windows(10, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("question q: found room for 4 tokens")
        .hasMessageContaining("expected 5 or more");
    assertThatThrownBy(() -> windows(3, 0)).hasMessageContaining("found room for -3 tokens");
    assertThatThrownBy(() -> windows(0, 0)).hasMessageStartingWith("windows: length 0");
  }

  /// Logits of 0 but for some places.
  private static Logits logits(Window window, double... placesAndValues) {
    float[] starts = new float[window.ids().length];
    float[] ends = new float[window.ids().length];
    for (int i = 0; i < placesAndValues.length; i += 3) {
      starts[(int) placesAndValues[i]] += (float) placesAndValues[i + 2];
      ends[(int) placesAndValues[i + 1]] += (float) placesAndValues[i + 2];
    }
    return new Logits(window, starts, ends);
  }

  @Test
  void theBestPairOfAllWindowsIsTheAnswer() {
    List<Window> windows = windows(10, 2);
    List<Logits> logits =
        List.of(
            logits(windows.get(0), 6, 8, 2), // bb ccc dd
            logits(windows.get(1), 5, 6, 3), // ccc dd
            logits(windows.get(2), 2, 0, 9)); // begins in the question
    Decoded found = AnswerDecoder.SQUAD_1.decode(ROW, logits);
    assertThat(found.text()).isEqualTo("ccc dd");
    assertThat(found.best()).hasSize(20);
    assertThat(found.best().getFirst().score()).isEqualTo(6);
    assertThat(found.best().get(1).text()).isEqualTo("bb ccc dd");
    assertThat(found.best().get(1).score()).isEqualTo(4);
    assertThat(found.best().get(0).probability() / found.best().get(1).probability())
        .isCloseTo(Math.exp(2), within(1e-9));
    assertThat(found.best().stream().mapToDouble(Candidate::probability).sum())
        .isCloseTo(1, within(1e-9));
    assertThat(found.nullDifference()).isZero();
  }

  @Test
  void answersRunForwardAndAreNotTooLong() {
    Window window = windows(99, 0).getFirst();
    AnswerDecoder two = new AnswerDecoder(3, 2, false, 0);
    assertThat(two.decode(ROW, List.of(logits(window, 9, 5, 5, 6, 7, 1))).text())
        .isEqualTo("bb ccc"); // not from e back to a
    assertThat(two.decode(ROW, List.of(logits(window, 5, 7, 5, 9, 10, 1))).text())
        .isEqualTo("e ff"); // not a bb ccc
  }

  @Test
  void onlyTheLikeliestTokensArePaired() {
    Window window = windows(99, 0).getFirst();
    AnswerDecoder one = new AnswerDecoder(1, 30, false, 0);
    Decoded found = one.decode(ROW, List.of(logits(window, 0, 0, 9, 6, 7, 5)));
    assertThat(found.text()).isEmpty();
    assertThat(found.best()).isEmpty();
  }

  @Test
  void noAnswerHasToExceedTheBestByTheThreshold() {
    List<Window> windows = windows(10, 2);
    // the smallest sum of first tokens counts: 2 * 4
    List<Logits> logits =
        List.of(
            logits(windows.get(0), 0, 0, 5),
            logits(windows.get(1), 0, 0, 4, 5, 6, 3),
            logits(windows.get(2), 0, 0, 6));
    Decoded found = AnswerDecoder.SQUAD_2.decode(ROW, logits);
    assertThat(found.text()).isEmpty();
    assertThat(found.nullDifference()).isEqualTo(2);
    assertThat(found.best().getFirst().text()).isEmpty();
    assertThat(found.best().get(1).text()).isEqualTo("ccc dd");
    assertThat(new AnswerDecoder(20, 30, true, 2).decode(ROW, logits).text()).isEqualTo("ccc dd");
    assertThat(AnswerDecoder.SQUAD_1.decode(ROW, logits).text()).isEqualTo("ccc dd");
    // none stays among those kept, however unlikely
    Decoded sure =
        new AnswerDecoder(1, 30, true, 0).decode(ROW, List.of(logits(windows.get(1), 5, 6, 3)));
    assertThat(sure.best()).hasSize(2);
    assertThat(sure.best().getLast()).extracting(Candidate::text).isEqualTo("");
  }

  @Test
  void logitsForEachTokenAreNeeded() {
    Window window = windows(99, 0).getFirst();
    assertThatThrownBy(() -> new Logits(window, new float[3], new float[13]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found 3 and 13 logits, expected 13");
  }
}
