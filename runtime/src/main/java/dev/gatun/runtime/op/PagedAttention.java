package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.PageAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Attention of new tokens over pages of keys and values.
///
/// A few new tokens of a sequence go through our kernel, which reads the pages where they lie; more
/// of them, or all where there is no kernel, through libtorch's kernels on a copy of the sequence's
/// pages, or on the tokens themselves where nothing came before them.
final class PagedAttention {
  private static final Operator INDEX_COPY_IN_PLACE = Operator.of("index_copy_");

  /// Our kernel takes one query at a time: with more of them the copy pays.
  private static final int FEW_TOKENS = 8;

  private final PageTable table;
  private final int window;
  private final double scale;

  PagedAttention(PageTable table, int window, double scale) {
    this.table = table;
    this.window = window;
    this.scale = scale;
  }

  /// Writes `(N, G, D)` into pages `(pages, G, P, D)`.
  void write(Scope scope, Tensor pages, Tensor fresh) {
    if (hasKernel(fresh, pages)) {
      PageAttention.write(pages, fresh, table.rows());
      return;
    }
    try (Scope block = scope.untaped()) {
      long size = fresh.size(2);
      Tensor rows = Layout.reshape(block, pages, -1, size);
      Tensor source = Layout.reshape(block, fresh, -1, size);
      INDEX_COPY_IN_PLACE.run(block, rows, 0, table.places(), source);
    }
  }

  /// {@return `(N, H, D)`}
  ///
  /// @param scope owner of the result
  /// @param q `(N, H, D)`
  /// @param k the new tokens' keys, `(N, G, D)`, already written
  /// @param v their values
  /// @param keys all pages
  /// @param values all pages
  Tensor attend(Scope scope, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values) {
    Ragged batch = table.batch();
    boolean hasKernel = hasKernel(q, keys);
    List<PageAttention.Query> queries = new ArrayList<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < batch.sequences(); i++) {
      if (hasKernel && batch.length(i) <= FEW_TOKENS) {
        for (int t = 0; t < batch.length(i); t++) {
          int to = table.past(i) + t + 1;
          int from = window > 0 ? Math.max(0, to - window) : 0;
          queries.add(new PageAttention.Query(batch.start(i) + t, table.pages(i), from, to));
        }
      } else {
        others.add(i);
      }
    }
    if (queries.isEmpty() && others.size() == 1) {
      return sequence(scope, 0, q, k, v, keys, values);
    }
    Tensor result = scope.empty(q.dtype(), q.shape());
    if (!queries.isEmpty()) {
      PageAttention.attend(scope, q, keys, values, queries, scale, result);
    }
    for (int i : others) {
      try (Scope block = scope.untaped()) {
        Tensor own = sequence(block, i, q, k, v, keys, values);
        Layout.copyInPlace(tokens(block, result, i), own);
      }
    }
    return result;
  }

  private static boolean hasKernel(Tensor rows, Tensor pages) {
    return Kernels.available() && PageAttention.takes(rows, pages);
  }

  private Tensor tokens(Scope scope, Tensor x, int sequence) {
    Ragged batch = table.batch();
    return Layout.narrow(scope, x, 0, batch.start(sequence), batch.length(sequence));
  }

  /// Returns a sequence's `(T, H, D)`.
  private Tensor sequence(
      Scope scope, int index, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values) {
    try (Scope block = scope.untaped()) {
      int fresh = table.batch().length(index);
      int past = table.past(index);
      // what lies before the first query's window is not read
      int seen = window > 0 ? Math.min(past, window - 1) : past;
      Tensor query = byHeads(block, tokens(block, q, index));
      Tensor[] read = new Tensor[2];
      for (int i = 0; i < 2; i++) {
        read[i] =
            past == 0
                ? byHeads(block, tokens(block, i == 0 ? k : v, index))
                : gathered(block, i == 0 ? keys : values, index, past - seen, seen + fresh);
      }
      boolean banded = window > 0 && seen + fresh > window;
      Tensor out =
          banded || (seen > 0 && fresh > 1 && !GpuFlashAttention.takes(query, null))
              ? over(block, query, read, false, band(block, fresh, seen + fresh, query))
              : over(block, query, read, fresh > 1, null);
      Tensor rows = Layout.transpose(block, out, 1, 2); // (1, T, H, D)
      return scope.keep(Layout.reshape(block, rows, fresh, q.size(1), q.size(2)));
    }
  }

  private Tensor over(Scope scope, Tensor q, Tensor[] read, boolean causal, @Nullable Tensor mask) {
    return Attention.attendRows(scope, q, read[0], read[1], causal, mask, scale);
  }

  /// Returns `(1, H, T, D)` from `(T, H, D)`.
  private static Tensor byHeads(Scope scope, Tensor x) {
    Tensor turned = Layout.transpose(scope, x, 0, 1);
    long[] strides = turned.strides();
    return Layout.view(
        scope,
        turned,
        new long[] {1, x.size(1), x.size(0), x.size(2)},
        new long[] {x.elements(), strides[0], strides[1], strides[2]});
  }

  /// Returns a copy of some tokens of a sequence, `(1, G, S, D)`.
  private Tensor gathered(Scope scope, Tensor all, int index, int from, int count) {
    int page = table.page();
    int first = from / page;
    int last = (from + count - 1) / page;
    int[] own = table.pages(index);
    long[] wanted = IntStream.rangeClosed(first, last).mapToLong(i -> own[i]).toArray();
    Tensor pages = Layout.rows(scope, all, scope.of(wanted, wanted.length)); // (pages, G, P, D)
    Tensor turned = Layout.transpose(scope, pages, 0, 1);
    Tensor rows = Layout.reshape(scope, turned, 1, all.size(1), -1, all.size(3));
    return Layout.narrow(scope, rows, 2, from - (long) first * page, count);
  }

  /// Returns `(1, 1, T, S)`: the last T of S positions see their own window of keys and nothing
  /// ahead.
  private Tensor band(Scope scope, int queries, int keys, Tensor like) {
    float[] mask = new float[Math.multiplyExact(queries, keys)];
    for (int t = 0; t < queries; t++) {
      int position = keys - queries + t;
      for (int s = 0; s < keys; s++) {
        boolean seen = s <= position && (window == 0 || position - s < window);
        mask[t * keys + s] = seen ? 0 : Float.NEGATIVE_INFINITY;
      }
    }
    return Layout.as(scope, scope.of(mask, 1, 1, queries, keys), Matmul.computeType(like));
  }
}
