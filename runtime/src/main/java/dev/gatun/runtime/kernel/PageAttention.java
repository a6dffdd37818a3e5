package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/// Attention of single queries over keys and values in pages, read where they lie.
public final class PageAttention {
  /// Elements of keys that are worth a thread.
  private static final long LEAST_ELEMENTS = 1 << 14;

  private PageAttention() {}

  /// A query and the keys that it sees.
  ///
  /// @param row its row of q and of the result
  /// @param pages where its sequence lies
  /// @param from first key
  /// @param to key after the last
  public record Query(int row, int[] pages, int from, int to) {}

  /// {@return whether this kernel computes these}
  ///
  /// @param q `(N, H, D)`
  /// @param keys `(pages, G, P, D)`, row-major
  public static boolean takes(Tensor q, Tensor keys) {
    DType dtype = q.dtype();
    return (dtype == DType.F32 || dtype == DType.BF16)
        && !q.device().isCuda()
        && keys.dtype() == dtype
        && q.size(2) % Lanes.COUNT == 0
        && q.strides()[2] == 1;
  }

  /// Writes the queries' rows of the result.
  ///
  /// @param scope for the number of threads
  /// @param q `(N, H, D)`, taken by [#takes]
  /// @param keys `(pages, G, P, D)`
  /// @param values as `keys`
  /// @param queries the rows to compute
  /// @param scale factor of the scores
  /// @param result `(N, H, D)`, of the type of q, row-major
  public static void attend(
      Scope scope,
      Tensor q,
      Tensor keys,
      Tensor values,
      List<Query> queries,
      double scale,
      Tensor result) {
    int groups = (int) keys.size(1);
    int page = (int) keys.size(2);
    Heads heads = new Heads((int) q.size(1), (int) q.size(1) / groups, (int) q.size(2));
    long[] strides = q.strides();
    long seen = queries.stream().mapToLong(query -> query.to - query.from).sum();
    long perUnit = Math.max(1, seen / queries.size()) * heads.size * heads.shared;
    Memory.with(
        m ->
            Parallel.ranges(
                scope,
                (long) queries.size() * groups,
                1,
                1 + LEAST_ELEMENTS / perUnit,
                (from, to) -> {
                  Worker worker = new Worker(heads, page, (float) scale);
                  for (long i = from; i < to; i++) {
                    Query query = queries.get((int) (i / groups));
                    int group = (int) (i % groups);
                    worker.load(m[0], query.row * strides[0], strides[1], group);
                    worker.attend(m[1], m[2], query, group, groups);
                    worker.store(m[3], query.row, group);
                  }
                }),
        q,
        keys,
        values,
        result);
  }

  /// @param all query heads
  /// @param shared those that read the keys of one group
  /// @param size of a head
  private record Heads(int all, int shared, int size) {}

  /// One thread's buffers: the query heads of one group at a time.
  private static final class Worker {
    private final Heads heads;
    private final int page;
    private final float scale;
    private final float[][] queries;
    private final float[][] sums;
    private final float[] rows;
    private float[][] weights;

    Worker(Heads heads, int page, float scale) {
      this.heads = heads;
      this.page = page;
      this.scale = scale;
      this.queries = new float[heads.shared][heads.size];
      this.sums = new float[heads.shared][heads.size];
      this.rows = new float[page * heads.size];
      this.weights = new float[heads.shared][0];
    }

    void load(Memory q, long row, long stride, int group) {
      for (int h = 0; h < heads.shared; h++) {
        q.load(row + (group * heads.shared + h) * stride, queries[h], heads.size);
      }
    }

    void attend(Memory keys, Memory values, Query query, int group, int groups) {
      int count = query.to - query.from;
      if (weights[0].length != Lanes.padded(count)) {
        weights = new float[heads.shared][Lanes.padded(count)];
      }
      for (int at = query.from, next; at < query.to; at = next) {
        next = Math.min(query.to, (at / page + 1) * page);
        read(keys, query, at, next, group, groups);
        for (int h = 0; h < heads.shared; h++) {
          scores(queries[h], rows, scale, weights[h], at - query.from, next - at);
        }
      }
      for (int h = 0; h < heads.shared; h++) {
        Softmax.normalise(weights[h], count);
        Arrays.fill(sums[h], 0);
      }
      for (int at = query.from, next; at < query.to; at = next) {
        next = Math.min(query.to, (at / page + 1) * page);
        read(values, query, at, next, group, groups);
        for (int h = 0; h < heads.shared; h++) {
          add(sums[h], rows, weights[h], at - query.from, next - at);
        }
      }
    }

    /// Reads the rows of some tokens of one page.
    private void read(Memory all, Query query, int from, int to, int group, int groups) {
      long line = ((long) query.pages[from / page] * groups + group) * page + from % page;
      all.load(line * heads.size, rows, (to - from) * heads.size);
    }

    void store(Memory result, int row, int group) {
      for (int h = 0; h < heads.shared; h++) {
        long head = (long) row * heads.all + (long) group * heads.shared + h;
        result.store(sums[h], head * heads.size, heads.size);
      }
    }
  }

  private static void scores(
      float[] query, float[] keys, float scale, float[] scores, int first, int count) {
    for (int j = 0; j < count; j++) {
      FloatVector sum = Lanes.of(0);
      for (int i = 0; i < query.length; i += Lanes.COUNT) {
        sum = Lanes.of(query, i).fma(Lanes.of(keys, j * query.length + i), sum);
      }
      scores[first + j] = scale * Lanes.sum(sum);
    }
  }

  private static void add(float[] sum, float[] values, float[] weights, int first, int count) {
    for (int i = 0; i < sum.length; i += Lanes.COUNT) {
      FloatVector all = Lanes.of(sum, i);
      for (int j = 0; j < count; j++) {
        all = Lanes.of(values, j * sum.length + i).fma(Lanes.of(weights[first + j]), all);
      }
      all.intoArray(sum, i);
    }
  }
}
