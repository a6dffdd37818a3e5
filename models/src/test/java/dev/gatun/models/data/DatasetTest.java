package dev.gatun.models.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DatasetTest {
  @Test
  void withoutShufflingTheLastRowsAreHeldOut() {
    Dataset.Split split = rows(40).split(0.05, false, 1);
    assertThat(firstIds(split.heldOut())).containsExactly(38, 39);
    assertThat(firstIds(split.train())).hasSize(38).isSorted();
    assertThat(split.train().examples()).extracting(Example::row).startsWith(0, 1, 2);
    assertThat(split.heldOut().examples()).extracting(Example::row).containsExactly(0, 1);
  }

  @Test
  void countsAreRoundedUpAndLeaveSomethingOnBothSides() {
    assertThat(rows(10).split(0.05, false, 1).heldOut().size()).isEqualTo(1);
    assertThat(rows(30).split(0.1, false, 1).heldOut().size()).isEqualTo(3);
    assertThat(rows(100).split(0.07, false, 1).heldOut().size()).isEqualTo(7);
    assertThat(rows(2).split(0.99, false, 1).train().size()).isEqualTo(1);
  }

  @Test
  void aRandomSplitIsAFunctionOfTheSeed() {
    List<Integer> first = firstIds(rows(100).split(0.2, true, 1).heldOut());
    assertThat(first).hasSize(20).isSorted();
    assertThat(firstIds(rows(100).split(0.2, true, 1).heldOut())).isEqualTo(first);
    assertThat(firstIds(rows(100).split(0.2, true, 2).heldOut())).isNotEqualTo(first);
    List<Integer> both = new ArrayList<>(firstIds(rows(100).split(0.2, true, 1).train()));
    both.addAll(first);
    assertThat(both).containsExactlyInAnyOrderElementsOf(IntStream.range(0, 100).boxed().toList());
  }

  @Test
  void piecesOfOneTextStayTogether() {
    List<Example> pieces = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      pieces.add(new Example(i, i / 6, new int[] {i, i}, null));
    }
    Dataset.Split split = new Dataset(pieces, 0, 0).split(0.2, true, 5);
    assertThat(split.heldOut().size()).isEqualTo(12);
    assertThat(split.heldOut().examples())
        .extracting(Example::document)
        .doesNotContainAnyElementsOf(
            split.train().examples().stream().map(Example::document).toList());
  }

  @Test
  void oneTextIsSplitAtItsEnd() {
    List<Example> pieces = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      pieces.add(new Example(i, 0, new int[] {i, i}, null));
    }
    Dataset.Split split = new Dataset(pieces, 0, 0).split(0.1, true, 5);
    assertThat(firstIds(split.heldOut())).containsExactly(18, 19);
  }

  @Test
  void impossibleSplitsAreRefused() {
    assertThatThrownBy(() -> rows(1).split(0.5, true, 1))
        .hasMessage("evaluation split: found data of 1 example(s), expected at least 2");
    assertThatThrownBy(() -> rows(9).split(1.0, true, 1))
        .hasMessage("evaluation split: found 1.0, expected a number between 0 and 1");
    assertThatThrownBy(() -> rows(9).split(Double.NaN, true, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Dataset rows(int count) {
    return new Dataset(
        IntStream.range(0, count).mapToObj(i -> new Example(i, i, new int[] {i, i}, null)).toList(),
        0,
        0);
  }

  private static List<Integer> firstIds(Dataset data) {
    return data.examples().stream().map(e -> e.ids()[0]).toList();
  }
}
