package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Attention of single queries over keys and values in pages, read where they lie.
public final class PageAttention {
  /// Elements of keys that are worth a thread.
  private static final long LEAST_ELEMENTS = 1 << 14;

  /// Units of work for each thread, where there are that many: sequences are of unequal lengths.
  private static final int UNITS = 4;

  private PageAttention() {}

  /// A query and the keys that it sees.
  ///
  /// @param row its row of q and of the result
  /// @param pages where its sequence lies
  /// @param from first key
  /// @param to key after the last
  public record Query(int row, int[] pages, int from, int to) {}

  /// {@return whether this kernel computes or writes these}
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

  /// Copies rows to their places in pages.
  ///
  /// @param pages `(pages, G, P, D)`, row-major
  /// @param fresh `(N, G, D)`, taken by [#takes] with the pages
  /// @param places of each row, the row of the pages, N G
  public static void write(Tensor pages, Tensor fresh, long... places) {
    int groups = (int) fresh.size(1);
    long[] strides = fresh.strides();
    long element = fresh.dtype().bytes();
    long bytes = fresh.size(2) * element;
    Memory.with(
        m -> {
          for (int i = 0; i < places.length; i++) {
            long from = i / groups * strides[0] + i % groups * strides[1];
            MemorySegment.copy(
                m[1].segment(), from * element, m[0].segment(), places[i] * bytes, bytes);
          }
        },
        pages,
        fresh);
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
    int parts = Parallel.parts(scope, seen * heads.all * heads.size, LEAST_ELEMENTS);
    int wanted = parts == 1 ? 1 : UNITS * parts;
    int shares = Math.clamp((wanted - 1) / queries.size() + 1, 1, groups); // of a query
    Memory.with(
        m ->
            Parallel.each(
                parts,
                queries.size() * shares,
                () -> {
                  Worker worker = new Worker(heads, page, groups, (float) scale);
                  return unit -> {
                    int share = unit % shares;
                    int from = groups * share / shares;
                    int to = groups * (share + 1) / shares;
                    worker.attend(m, queries.get(unit / shares), from, to, strides);
                  };
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

  /// One thread's buffers. Rows of keys and values are widened while they are multiplied, as
  /// [FewRows] does.
  private static final class Worker {
    private final Heads heads;
    private final int page;
    private final int groups;
    private final float scale;
    private final float[][] queries; // by head, as all that follow
    private final float[][] sums;
    private final float[][] weights;

    Worker(Heads heads, int page, int groups, float scale) {
      this.heads = heads;
      this.page = page;
      this.groups = groups;
      this.scale = scale;
      this.queries = new float[heads.all][heads.size];
      this.sums = new float[heads.all][heads.size];
      this.weights = new float[heads.all][0];
    }

    /// Computes the heads of some groups. What a page holds of them lies together and is read at
    /// once.
    ///
    /// @param m q, keys, values and the result
    /// @param strides of q
    void attend(Memory[] m, Query query, int fromGroup, int toGroup, long... strides) {
      int first = fromGroup * heads.shared;
      int last = toGroup * heads.shared;
      int count = query.to - query.from;
      for (int h = first; h < last; h++) {
        if (weights[h].length != Lanes.padded(count)) {
          weights[h] = new float[Lanes.padded(count)];
        }
        FewRows.load(m[0], query.row * strides[0] + h * strides[1], queries[h]);
        for (int i = 0; i < heads.size; i++) {
          queries[h][i] *= scale;
        }
      }
      for (int at = query.from, next; at < query.to; at = next) {
        next = Math.min(query.to, (at / page + 1) * page);
        for (int h = first; h < last; h++) {
          FewRows.dots(m[1], row(query, at, h), next - at, queries[h], weights[h], at - query.from);
        }
      }
      for (int h = first; h < last; h++) {
        Softmax.normalise(weights[h], count);
        Arrays.fill(sums[h], 0);
      }
      for (int at = query.from, next; at < query.to; at = next) {
        next = Math.min(query.to, (at / page + 1) * page);
        for (int h = first; h < last; h++) {
          FewRows.sum(m[2], row(query, at, h), next - at, weights[h], at - query.from, sums[h]);
        }
      }
      for (int h = first; h < last; h++) {
        FewRows.store(sums[h], m[3], ((long) query.row * heads.all + h) * heads.size);
      }
    }

    /// Returns where a token's key and value for a head lie among the rows of all pages.
    private long row(Query query, int token, int head) {
      long line = (long) query.pages[token / page] * groups + head / heads.shared;
      return line * page + token % page;
    }
  }
}
