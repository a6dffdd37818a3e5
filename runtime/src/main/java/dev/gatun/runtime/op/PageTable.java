package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import java.util.Arrays;

/// Where the tokens of a batch stand among pages of keys and values: each sequence has seen some
/// tokens before, and brings new ones.
///
/// A page holds P tokens of one sequence; several sequences may share pages of what they have in
/// common. Thread-safe.
public final class PageTable {
  private final Ragged batch;
  private final int[] past;
  private final int[][] pages;
  private final int page;
  private final int largest;
  private final long[] rows;
  private final Tensor places;

  private PageTable(
      Ragged batch, int[] past, int[][] pages, int page, int largest, long[] rows, Tensor places) {
    this.batch = batch;
    this.past = past;
    this.pages = pages;
    this.page = page;
    this.largest = largest;
    this.rows = rows;
    this.places = places;
  }

  /// {@return the table of a batch}
  ///
  /// @param owner owner of its index tensor
  /// @param batch how the new tokens divide into B sequences
  /// @param past tokens of each sequence that are in its pages already, B
  /// @param pages each sequence's pages in order, room for its new tokens included
  /// @param page P, tokens of a page
  /// @param groups G, key heads
  /// @throws ShapeException if a sequence has too few pages
  public static PageTable of(
      Scope owner, Ragged batch, int[] past, int[][] pages, int page, int groups) {
    if (past.length != batch.sequences() || pages.length != batch.sequences()) {
      throw new ShapeException(
          "pages: found %d lengths and %d lists of pages, expected %d"
              .formatted(past.length, pages.length, batch.sequences()));
    }
    long[] rows = new long[batch.tokens() * groups];
    for (int i = 0; i < batch.sequences(); i++) {
      int end = past[i] + batch.length(i);
      if (Arrays.stream(pages[i]).anyMatch(each -> each < 0)) {
        throw new ShapeException(
            "pages: sequence %d: found pages %s, expected 0 or more"
                .formatted(i, Arrays.toString(pages[i])));
      }
      if (past[i] < 0 || end > (long) pages[i].length * page) {
        throw new ShapeException(
            "pages: sequence %d: found %d + %d tokens, expected at most %d"
                .formatted(i, past[i], batch.length(i), (long) pages[i].length * page));
      }
      for (int t = past[i]; t < end; t++) {
        int at = (batch.start(i) + t - past[i]) * groups;
        for (int g = 0; g < groups; g++) {
          rows[at + g] = ((long) pages[i][t / page] * groups + g) * page + t % page;
        }
      }
    }
    int largest = Arrays.stream(pages).flatMapToInt(Arrays::stream).max().orElseThrow();
    Tensor places = owner.of(rows, rows.length);
    return new PageTable(batch, past.clone(), pages.clone(), page, largest, rows, places);
  }

  /// {@return how the new tokens divide into sequences}
  public Ragged batch() {
    return batch;
  }

  /// Refuses pages that are not among `keys`, `(pages, G, P, D)`, or another number of key heads.
  void check(Tensor keys) {
    if (places.size(0) != batch.tokens() * keys.size(1)) {
      throw new ShapeException(
          "attention: keys: found %s, expected %d key heads"
              .formatted(keys, places.size(0) / batch.tokens()));
    }
    if (largest >= keys.size(0)) {
      throw new ShapeException(
          "attention: keys: found %s, expected at least %d pages".formatted(keys, largest + 1));
    }
  }

  /// Returns how many tokens of a sequence came before.
  int past(int sequence) {
    return past[sequence];
  }

  /// Returns the pages of a sequence.
  int[] pages(int sequence) {
    return pages[sequence];
  }

  /// Returns P.
  int page() {
    return page;
  }

  /// Returns the row of each new token and key head, in pages viewed as `(pages * G * P, D)`; N G,
  /// for reading alone.
  long[] rows() {
    return rows;
  }

  /// Returns [#rows] as a tensor, i64 `(N * G)`.
  Tensor places() {
    return places;
  }
}
