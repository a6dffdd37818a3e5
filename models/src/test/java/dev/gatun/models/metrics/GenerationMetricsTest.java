package dev.gatun.models.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Scores of generated text worked out by hand, and what they refuse.
class GenerationMetricsTest {
  private static final Tokenization WHITE_SPACE = Tokenization.WHITE_SPACE;

  @Test
  void computesBleuByHand() {
    Bleu found =
        Bleu.of(
            List.of("the cat sat on mat"), List.of(List.of("the cat sat on the mat")), WHITE_SPACE);
    assertThat(found.precisions()).containsExactly(100.0, 75.0, 200.0 / 3, 50.0);
    assertThat(found.brevityPenalty()).isCloseTo(Math.exp(-0.2), within(1e-15));
    assertThat(found.score()).isCloseTo(100 * Math.exp(-0.2) * Math.pow(0.25, 0.25), within(1e-12));
    assertThat(found.hypothesisWords()).isEqualTo(5);
    assertThat(found.referenceWords()).isEqualTo(6);
  }

  @Test
  void smoothsOrdersWithoutAMatch() {
    Bleu found = Bleu.of(List.of("a x b y"), List.of(List.of("a b")), WHITE_SPACE);
    // 2 of 4, then 1/2 of 3, 1/4 of 2, 1/8 of 1
    assertThat(found.precisions()).containsExactly(50.0, 50.0 / 3, 12.5, 12.5);
  }

  @Test
  void computesNistByHand() {
    assertThat(Nist.of(List.of("a b"), List.of(List.of("a b")), WHITE_SPACE)).isEqualTo(1);
    // each word one of 3, halved for 2 of 3 words
    assertThat(Nist.of(List.of("a b"), List.of(List.of("a b c")), WHITE_SPACE))
        .isCloseTo(Math.log(3) / Math.log(2) / 2, within(1e-12));
    // a: log2(4 / 2) of one reference word in two references; lengths 1 and 3 are 2 on average
    assertThat(Nist.of(List.of("a z"), List.of(List.of("a", "a b c")), WHITE_SPACE)).isEqualTo(0.5);
  }

  @Test
  void computesRougeByHand() {
    RougeL plain =
        RougeL.of(
            "Police killed the gunman.",
            List.of("other words", "police kill the gunman"),
            RougeL.Stemming.NONE);
    assertThat(plain).isEqualTo(new RougeL(0.75, 0.75, 0.75));
    RougeL stemmed =
        RougeL.of(
            "Police killed the gunman.",
            List.of("other words", "police kill the gunman"),
            RougeL.Stemming.PORTER);
    assertThat(stemmed).isEqualTo(new RougeL(1, 1, 1));
    // precision 1/2, recall 1
    assertThat(RougeL.coco(List.of("a b c d"), List.of(List.of("a c"))))
        .isCloseTo(1.22 / 1.72, within(1e-12));
  }

  @Test
  void computesMeteorByHand() {
    List<String> reference = List.of("the cat sat on the mat");
    assertThat(Meteor.of("the cat sat on the mat", reference))
        .isCloseTo(1 - 0.5 / 216, within(1e-15));
    assertThat(Meteor.of("on the mat sat the cat", reference)).isCloseTo(0.5, within(1e-15));
    // "Cats" by its stem: 1 of 1 and 1 of 2 words in one chunk
    assertThat(Meteor.of("Cats", List.of("cat sat"))).isCloseTo(0.5 * 0.5 / 0.95, within(1e-15));
  }

  @Test
  void computesCiderByHand() {
    Cider found = Cider.of(List.of("a b", "x y"), List.of(List.of("a b"), List.of("c d", "x y")));
    // runs of 1 and 2 words agree, those of 3 and 4 are none; one of two references
    assertThat(found.each().get(0)).isCloseTo(5, within(1e-12));
    assertThat(found.each().get(1)).isCloseTo(2.5, within(1e-12));
    assertThat(found.score()).isCloseTo(3.75, within(1e-12));
    assertThat(Cider.of(List.of("a b"), List.of(List.of("a b"))).score()).isZero();
  }

  @Test
  void shiftsWordsAsInSnoversExample() {
    Ter found =
        Ter.of(
            List.of("THIS WEEK THE SAUDIS denied information published in the new york times"),
            List.of(
                List.of(
                    "SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york"
                        + " times")));
    assertThat(found.edits()).isEqualTo(4);
    assertThat(found.referenceWords()).isEqualTo(13);
    assertThat(found.score()).isCloseTo(400 / 13.0, within(1e-12));
  }

  @Test
  void takesTheClosestReferenceAndTheMeanLength() {
    assertThat(Ter.of(List.of("c a b"), List.of(List.of("x y z z z", "a b c"))))
        .isEqualTo(new Ter(25, 1, 4));
    assertThat(Ter.of(List.of("a"), List.of(List.of(" ")))).isEqualTo(new Ter(100, 1, 0));
    assertThat(Ter.of(List.of(""), List.of(List.of(" ")))).isEqualTo(new Ter(0, 0, 0));
  }

  @Test
  void repeatsItselfExactly() {
    List<String> hypotheses = List.of("the eagle is near the river", "a pub , a cheap pub");
    List<List<String>> references =
        List.of(List.of("near the river is the eagle"), List.of("the cheap pub is a pub"));
    double first = Nist.of(hypotheses, references, WHITE_SPACE);
    for (int i = 0; i < 5; i++) {
      assertThat(Nist.of(hypotheses, references, WHITE_SPACE)).isEqualTo(first);
      assertThat(Cider.of(hypotheses, references)).isEqualTo(Cider.of(hypotheses, references));
    }
  }

  static Stream<Arguments> metrics() {
    return Stream.of(
        metric("BLEU", (h, r) -> Bleu.of(h, r, WHITE_SPACE)),
        metric("NIST", (h, r) -> Nist.of(h, r, WHITE_SPACE)),
        metric("ROUGE-L", RougeL::coco),
        metric("METEOR", Meteor::of),
        metric("CIDEr", Cider::of),
        metric("TER", Ter::of));
  }

  private static Arguments metric(
      String name, BiFunction<List<String>, List<List<String>>, Object> score) {
    return Arguments.of(name, score);
  }

  @ParameterizedTest
  @MethodSource("metrics")
  void refusesWhatDoesNotFit(
      String name, BiFunction<List<String>, List<List<String>>, Object> score) {
    assertThatThrownBy(() -> score.apply(List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(name + ": found no texts, expected some");
    assertThatThrownBy(() -> score.apply(List.of("a", "b"), List.of(List.of("a"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(name + ": found 2 texts, expected 1, one for each list of references");
    assertThatThrownBy(() -> score.apply(List.of("a", "b"), List.of(List.of("a"), List.of())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(name + ": text 1: found no references, expected at least one");
  }

  @Test
  void refusesATextWithoutReferences() {
    assertThatThrownBy(() -> RougeL.of("a", List.of(), RougeL.Stemming.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("ROUGE-L: found no references, expected at least one");
    assertThatThrownBy(() -> Meteor.of("a", List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("METEOR: found no references, expected at least one");
  }
}
