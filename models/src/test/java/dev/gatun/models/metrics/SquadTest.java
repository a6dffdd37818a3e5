package dev.gatun.models.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SquadTest {
  @Test
  void takesTheBestAnswer() {
    assertThat(Squad.f1("a blue house", List.of("red", "the blue car", "house")))
        .isEqualTo(2.0 / 3);
    assertThat(Squad.exactMatch("The Blue-House!", List.of("red", "bluehouse"))).isEqualTo(1);
  }

  @Test
  void averagesOverQuestions() {
    Squad found =
        Squad.of(List.of("one two", "three"), List.of(List.of("one two"), List.of("three four")));
    assertThat(found.exactMatch()).isEqualTo(50);
    assertThat(found.f1()).isCloseTo((100 + 200.0 / 3) / 2, within(1e-12));
    assertThat(found.total()).isEqualTo(2);
  }

  @Test
  void splitsQuestionsByWhetherTheyHaveAnAnswer() {
    Squad.V2 found =
        Squad.v2(List.of("", "guess", "right"), List.of(List.of(), List.of(), List.of("right")));
    assertThat(found.all()).isEqualTo(new Squad(200.0 / 3, 200.0 / 3, 3));
    assertThat(found.noAnswer()).isEqualTo(Optional.of(new Squad(50, 50, 2)));
    assertThat(found.hasAnswer()).isEqualTo(Optional.of(new Squad(100, 100, 1)));
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> Squad.of(List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("SQuAD: found no texts, expected some");
    assertThatThrownBy(() -> Squad.of(List.of("x", "y"), List.of(List.of("x"), List.of())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("SQuAD: text 1: found no references, expected at least one");
    assertThatThrownBy(() -> Squad.f1("x", List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("SQuAD: found no references, expected at least one");
    assertThatThrownBy(() -> Squad.v2(List.of("x"), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("SQuAD 2.0: found 1 predictions, expected 0, one for each label");
  }
}
