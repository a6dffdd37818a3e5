package dev.gatun.models.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/// The order of training: for each epoch, which examples meet in which optimizer step.
///
/// The order is a function of data, options and epoch, so a [Cursor] is enough to resume. It does
/// not depend on how a step's rows are divided: 8 rows, and 4 rows accumulated twice, give the same
/// steps. Each epoch has each example once; its last step may be short. Not thread-safe.
public final class Batches {
  /// Steps whose examples are sorted by length among each other.
  private static final int WINDOW_STEPS = 50;

  private final List<Example> examples;
  private final BatchOptions options;
  private final int rowsPerStep;
  private int plannedEpoch = -1;
  private List<List<int[]>> plan = List.of();

  /// Orders data.
  ///
  /// @param dataset at least one example
  /// @param options how to group
  /// @throws IllegalArgumentException if there are no examples, or a step has more than 2^31 - 1
  ///   rows
  public Batches(Dataset dataset, BatchOptions options) {
    if (dataset.size() == 0) {
      throw new IllegalArgumentException("batches: found no examples, expected at least one");
    }
    long rows = (long) options.rows() * options.accumulation();
    if (rows > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "batches: " + rows + " rows a step, expected fewer than 2^31");
    }
    this.examples = dataset.examples();
    this.options = options;
    this.rowsPerStep = (int) rows;
  }

  /// Returns the number of optimizer steps of an epoch. Without packing it is the same for all.
  ///
  /// @param epoch counted from 0
  /// @return at least 1
  public int steps(int epoch) {
    return plan(epoch).size();
  }

  /// Returns the number of optimizer steps of the first epochs together.
  ///
  /// @param epochs how many
  /// @return steps
  public long totalSteps(int epochs) {
    if (!options.pack()) {
      return (long) epochs * steps(0);
    }
    long steps = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
      steps += steps(epoch);
    }
    return steps;
  }

  /// Returns the steps from a place on, epoch after epoch without an end.
  ///
  /// @param start the first step to give
  /// @return an endless iterator
  /// @throws IllegalArgumentException if the epoch has no such step
  public Iterator<Step> from(Cursor start) {
    if (start.step() > steps(start.epoch())) {
      throw new IllegalArgumentException(
          "%s: found an epoch of %d steps: the data or the options are not those of the cursor"
              .formatted(start, steps(start.epoch())));
    }
    return new Iterator<>() {
      private int epoch = start.epoch();
      private int step = start.step();

      @Override
      public boolean hasNext() {
        return true;
      }

      @Override
      public Step next() {
        if (step == steps(epoch)) {
          epoch++;
          step = 0;
        }
        return step(new Cursor(epoch, step++));
      }
    };
  }

  /// Returns one step.
  ///
  /// @param cursor which
  /// @return its batches
  /// @throws IllegalArgumentException if the epoch has no such step
  public Step step(Cursor cursor) {
    List<List<int[]>> steps = plan(cursor.epoch());
    if (cursor.step() >= steps.size()) {
      throw new IllegalArgumentException(cursor + ": expected a step below " + steps.size());
    }
    List<int[]> rows = steps.get(cursor.step());
    List<Batch> batches = new ArrayList<>();
    int firstRow = 0;
    for (int from = 0; from < rows.size(); from += options.rows()) {
      List<Example> together = new ArrayList<>();
      for (int[] row : rows.subList(from, Math.min(from + options.rows(), rows.size()))) {
        Arrays.stream(row).mapToObj(examples::get).forEach(together::add);
      }
      batches.add(Batch.of(together, firstRow));
      firstRow += together.size();
    }
    return new Step(cursor, batches);
  }

  private List<List<int[]>> plan(int epoch) {
    if (epoch != plannedEpoch) {
      plan = makePlan(epoch);
      plannedEpoch = epoch;
    }
    return plan;
  }

  /// Returns the epoch's steps, each a list of rows, each the indices of its examples.
  private List<List<int[]>> makePlan(int epoch) {
    int[] order = new int[examples.size()];
    Arrays.setAll(order, i -> i);
    Shuffle shuffle = new Shuffle(options.seed(), epoch);
    if (options.shuffle()) {
      shuffle.apply(order);
    }
    List<int[]> rows;
    if (options.pack()) {
      rows = shuffled(pack(order), shuffle);
    } else {
      if (options.bucket()) {
        sortWindows(order);
      }
      rows = new ArrayList<>(order.length);
      for (int index : order) {
        rows.add(new int[] {index});
      }
    }
    List<List<int[]>> steps = new ArrayList<>();
    for (int from = 0; from < rows.size(); from += rowsPerStep) {
      steps.add(rows.subList(from, Math.min(from + rowsPerStep, rows.size())));
    }
    return options.bucket() ? shuffled(steps, shuffle) : steps;
  }

  /// Sorts by length within windows of several steps; equal lengths keep their random order.
  private void sortWindows(int[] order) {
    int window = (int) Math.min((long) WINDOW_STEPS * rowsPerStep, Integer.MAX_VALUE);
    for (int from = 0; from < order.length; from += Math.min(window, order.length - from)) {
      int to = from + Math.min(window, order.length - from);
      Integer[] sorted = Arrays.stream(order, from, to).boxed().toArray(Integer[]::new);
      Arrays.sort(sorted, Comparator.comparingInt(i -> examples.get(i).length()));
      for (int i = from; i < to; i++) {
        order[i] = sorted[i - from];
      }
    }
  }

  /// Fills rows up by best fit, the longest examples first, window after window of several steps,
  /// so that each epoch brings other examples together.
  private List<int[]> pack(int[] order) {
    long window = (long) WINDOW_STEPS * rowsPerStep * options.maxLength();
    List<int[]> rows = new ArrayList<>();
    for (int from = 0; from < order.length; ) {
      int to = from;
      for (long tokens = 0; to < order.length && tokens < window; to++) {
        tokens += examples.get(order[to]).length();
      }
      Integer[] sorted = Arrays.stream(order, from, to).boxed().toArray(Integer[]::new);
      Arrays.sort(sorted, Comparator.comparingInt(i -> -examples.get(i).length()));
      RowPacker packer = new RowPacker(options.maxLength());
      for (int index : sorted) {
        packer.add(index, examples.get(index).length());
      }
      rows.addAll(packer.rows());
      from = to;
    }
    return rows;
  }

  private static <T> List<T> shuffled(List<T> list, Shuffle shuffle) {
    int[] order = new int[list.size()];
    Arrays.setAll(order, i -> i);
    shuffle.apply(order);
    return Arrays.stream(order).mapToObj(list::get).toList();
  }
}
