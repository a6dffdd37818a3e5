package dev.gatun.models.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchesTest {
  @Test
  void aBatchIsRaggedAndShiftsWithinSegments() {
    Batch batch =
        Batch.of(
            List.of(
                new Example(0, 0, new int[] {5, 6, 7}, null),
                new Example(1, 1, new int[] {8}, null),
                new Example(2, 2, new int[] {9, 10, 11}, new int[] {9, -100, 11})),
            4);
    assertThat(batch.ids()).containsExactly(5, 6, 7, 8, 9, 10, 11);
    assertThat(batch.labels()).containsExactly(5, 6, 7, 8, 9, -100, 11);
    assertThat(batch.targets()).containsExactly(6, 7, -100, -100, -100, 11, -100);
    assertThat(batch.offsets()).containsExactly(0, 3, 4, 7);
    assertThat(batch.rows()).containsExactly(4, 5, 6);
    assertThat(batch.positions()).containsExactly(0, 1, 2, 0, 0, 1, 2);
    assertThat(batch.targetCount()).isEqualTo(3);
    assertThat(batch.tokens()).isEqualTo(7);
    assertThat(batch.segments()).isEqualTo(3);
    assertThat(batch.longest()).isEqualTo(3);
  }

  @Test
  void inOrderGivesTheRowsOfTheFileAndAShortLastBatch() {
    Batches batches = new Batches(data(10), BatchOptions.inOrder(4));
    for (int epoch = 0; epoch < 2; epoch++) {
      assertThat(firstIds(batches, epoch)).isEqualTo(IntStream.range(0, 10).boxed().toList());
      assertThat(batches.steps(epoch)).isEqualTo(3);
    }
    assertThat(batches.step(new Cursor(0, 2)).batches().getFirst().segments()).isEqualTo(2);
    assertThat(batches.totalSteps(5)).isEqualTo(15);
  }

  @Test
  void eachEpochHasEachExampleOnceInAnOrderOfItsOwn() {
    for (boolean pack : new boolean[] {false, true}) {
      Batches batches = new Batches(data(1003), new BatchOptions(4, 2, true, !pack, pack, 64, 11));
      List<Integer> first = firstIds(batches, 0);
      List<Integer> second = firstIds(batches, 1);
      Integer[] all = IntStream.range(0, 1003).boxed().toArray(Integer[]::new);
      assertThat(first).containsExactlyInAnyOrder(all).isNotEqualTo(second);
      assertThat(second).containsExactlyInAnyOrder(all);
      assertThat(firstIds(batches, 0)).isEqualTo(first);
      Batches otherSeed =
          new Batches(data(1003), new BatchOptions(4, 2, true, !pack, pack, 64, 12));
      assertThat(firstIds(otherSeed, 0)).isNotEqualTo(first);
    }
  }

  @Test
  void accumulatedAndLargeBatchesAreTheSameSteps() {
    for (boolean pack : new boolean[] {false, true}) {
      Batches large = new Batches(data(101), new BatchOptions(8, 1, true, !pack, pack, 64, 3));
      Batches small = new Batches(data(101), new BatchOptions(2, 4, true, !pack, pack, 64, 3));
      assertThat(small.steps(0)).isEqualTo(large.steps(0));
      for (int s = 0; s < large.steps(0); s++) {
        Step one = large.step(new Cursor(0, s));
        Step four = small.step(new Cursor(0, s));
        assertThat(one.batches()).hasSize(1);
        assertThat(four.batches()).hasSizeBetween(1, 4);
        assertThat(four.targetCount()).isEqualTo(one.targetCount());
        assertThat(four.tokens()).isEqualTo(one.tokens());
        assertThat(four.batches().stream().flatMapToInt(b -> Arrays.stream(b.ids())).toArray())
            .isEqualTo(one.batches().getFirst().ids());
        assertThat(four.batches().stream().flatMapToInt(b -> Arrays.stream(b.rows())).toArray())
            .isEqualTo(one.batches().getFirst().rows())
            .isEqualTo(IntStream.range(0, one.batches().getFirst().segments()).toArray());
      }
    }
  }

  @Test
  void resumesFromAnyCursor() {
    BatchOptions options = new BatchOptions(4, 2, true, false, true, 64, 3);
    Iterator<Step> straight = new Batches(data(150), options).from(Cursor.START);
    for (int i = 0; i < 60; i++) {
      Step step = straight.next();
      Step resumed = new Batches(data(150), options).from(step.cursor()).next();
      assertThat(resumed.cursor()).isEqualTo(step.cursor());
      assertThat(ids(resumed)).usingRecursiveComparison().isEqualTo(ids(step));
    }
    Batches batches = new Batches(data(150), options);
    Cursor end = new Cursor(0, batches.steps(0));
    assertThat(batches.from(end).next().cursor()).isEqualTo(new Cursor(1, 0));
    assertThatThrownBy(() -> batches.from(new Cursor(0, 1000)))
        .hasMessageContaining("the data or the options are not those of the cursor");
  }

  @Test
  void bucketingPutsLikeLengthsTogether() {
    Batches bucketed = new Batches(data(2000), BatchOptions.shuffled(8, 5));
    Batches plain = new Batches(data(2000), new BatchOptions(8, 1, true, false, false, 1, 5));
    assertThat(padding(bucketed)).isLessThan(0.03);
    assertThat(padding(plain)).isGreaterThan(0.2);
    // steps do not come sorted by length
    List<Integer> longest =
        IntStream.range(0, bucketed.steps(0))
            .mapToObj(s -> bucketed.step(new Cursor(0, s)).batches().getFirst().longest())
            .toList();
    assertThat(longest.subList(0, 40))
        .isNotEqualTo(longest.subList(0, 40).stream().sorted().toList());
  }

  @Test
  void packingFillsRowsAndKeepsSegmentsApart() {
    Batches batches = new Batches(data(2000), new BatchOptions(4, 1, true, false, true, 64, 5));
    long tokens = 0;
    for (int s = 0; s < batches.steps(0); s++) {
      Batch batch = batches.step(new Cursor(0, s)).batches().getFirst();
      assertThat(batch.tokens()).isLessThanOrEqualTo(4 * 64);
      assertThat(batch.longest()).isLessThanOrEqualTo(64);
      tokens += batch.tokens();
    }
    assertThat(tokens).isEqualTo(data(2000).tokens());
    assertThat(tokens / (batches.steps(0) * 256.0)).isGreaterThan(0.97);
    assertThat(batches.totalSteps(2)).isEqualTo(batches.steps(0) + batches.steps(1));
  }

  @Test
  void anExampleLongerThanAPackedRowStandsAlone() {
    Dataset data =
        new Dataset(
            List.of(
                new Example(0, 0, new int[100], null), new Example(1, 1, new int[] {1, 1}, null)),
            0,
            0);
    Batches batches = new Batches(data, new BatchOptions(1, 1, true, false, true, 64, 5));
    assertThat(batches.steps(0)).isEqualTo(2);
  }

  @Test
  void theOrderIsFrozen() {
    int[] order = IntStream.range(0, 10).toArray();
    new Shuffle(42, 0).apply(order);
    assertThat(order).containsExactly(5, 2, 1, 9, 0, 6, 4, 8, 7, 3);
  }

  @Test
  void everyOrderOfThreeIsAboutAsLikely() {
    int[] counts = new int[27];
    for (int seed = 0; seed < 6000; seed++) {
      int[] order = {0, 1, 2};
      new Shuffle(seed, 3).apply(order);
      counts[9 * order[0] + 3 * order[1] + order[2]]++;
    }
    assertThat(Arrays.stream(counts).filter(c -> c > 0).boxed().toList())
        .hasSize(6)
        .allMatch(c -> c > 880 && c < 1120);
  }

  @Test
  void contradictingOptionsAreRefused() {
    assertThatThrownBy(() -> new BatchOptions(4, 1, false, true, false, 8, 1))
        .hasMessageContaining("without shuffling");
    assertThatThrownBy(() -> new BatchOptions(0, 1, true, true, false, 8, 1))
        .hasMessageContaining("0 rows");
    assertThatThrownBy(() -> new Batches(new Dataset(List.of(), 0, 0), BatchOptions.inOrder(1)))
        .hasMessageContaining("no examples");
  }

  /// Examples of 2 to 49 tokens; the first token is the index.
  private static Dataset data(int count) {
    Random random = new Random(1);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] ids = new int[2 + random.nextInt(48)];
      Arrays.fill(ids, i);
      examples.add(new Example(i, i, ids, null));
    }
    return new Dataset(examples, 0, 0);
  }

  private static List<Integer> firstIds(Batches batches, int epoch) {
    List<Integer> ids = new ArrayList<>();
    for (int s = 0; s < batches.steps(epoch); s++) {
      for (Batch batch : batches.step(new Cursor(epoch, s)).batches()) {
        for (int segment = 0; segment < batch.segments(); segment++) {
          ids.add(batch.ids()[batch.offsets()[segment]]);
        }
      }
    }
    return ids;
  }

  private static List<int[]> ids(Step step) {
    return step.batches().stream().map(Batch::ids).toList();
  }

  private static double padding(Batches batches) {
    long padded = 0;
    long tokens = 0;
    for (int s = 0; s < batches.steps(0); s++) {
      for (Batch batch : batches.step(new Cursor(0, s)).batches()) {
        padded += (long) batch.longest() * batch.segments();
        tokens += batch.tokens();
      }
    }
    return 1.0 - (double) tokens / padded;
  }
}
