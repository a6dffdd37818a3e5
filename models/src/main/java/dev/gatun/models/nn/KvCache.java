package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.Arrays;

/// Keys and values of the tokens that generations have seen, in pages of [#PAGE] tokens.
///
/// Each sequence has a list of pages; sequences may share those of a beginning that they have in
/// common. A page is free again once the last of its holders has let it go. Not thread-safe.
///
/// Source: Kwon et al., PagedAttention, arXiv:2309.06180.
public final class KvCache {
  /// Tokens of a page.
  public static final int PAGE = 16;

  private final Tensor[] keys;
  private final Tensor[] values;
  private final int[] holders;
  private final int[] free;
  private int freeCount;

  private KvCache(Tensor[] keys, Tensor[] values, int pages) {
    this.keys = keys;
    this.values = values;
    this.holders = new int[pages];
    this.free = new int[pages];
    this.freeCount = pages;
    for (int i = 0; i < pages; i++) {
      free[i] = pages - 1 - i;
    }
  }

  /// Allocates a cache.
  ///
  /// @param owner owner of its memory
  /// @param model the model whose layers it serves
  /// @param pages number of pages, at least 1
  /// @return the cache, empty
  public static KvCache of(Scope owner, CausalLm model, int pages) {
    return of(owner, model.layers(), model.computeType(), pages, model.keyHeads(), model.headDim());
  }

  static KvCache of(Scope owner, int layers, DType dtype, int pages, int keyHeads, int headDim) {
    Tensor[] keys = new Tensor[layers];
    Tensor[] values = new Tensor[layers];
    for (int i = 0; i < layers; i++) {
      keys[i] = owner.empty(dtype, pages, keyHeads, PAGE, headDim);
      values[i] = owner.empty(dtype, pages, keyHeads, PAGE, headDim);
    }
    return new KvCache(keys, values, pages);
  }

  /// {@return how many pages hold a number of tokens}
  ///
  /// @param tokens tokens of one sequence
  public static int pages(int tokens) {
    return (tokens + PAGE - 1) / PAGE;
  }

  /// {@return the bytes of one page, of all layers}
  ///
  /// @param model the model whose layers it serves
  public static long pageBytes(CausalLm model) {
    return 2L
        * model.layers()
        * PAGE
        * model.keyHeads()
        * model.headDim()
        * model.computeType().bytes();
  }

  /// {@return the number of pages}
  public int capacity() {
    return holders.length;
  }

  /// {@return how many pages nobody holds}
  public int free() {
    return freeCount;
  }

  /// Holds a page once more.
  ///
  /// @param page a page that somebody holds
  public void retain(int page) {
    checkHeld(page);
    holders[page]++;
  }

  /// Lets a page go.
  ///
  /// @param page a page that the caller holds
  public void release(int page) {
    checkHeld(page);
    if (--holders[page] == 0) {
      free[freeCount++] = page;
    }
  }

  /// {@return how many hold a page}
  ///
  /// @param page a page
  public int holders(int page) {
    return holders[page];
  }

  private void checkHeld(int page) {
    if (holders[page] == 0) {
      throw new IllegalStateException("kv cache: page " + page + " is free");
    }
  }

  /// Begins a sequence.
  ///
  /// @param shared full pages of its first tokens, which it holds too; may be none
  /// @return the sequence, with the tokens of those pages
  public Sequence open(int... shared) {
    for (int page : shared) {
      retain(page);
    }
    return new Sequence(shared.clone(), shared.length * PAGE);
  }

  /// A sequence of tokens; closing it lets its pages go.
  public final class Sequence implements AutoCloseable {
    private int[] pages;
    private int length;
    private boolean closed;

    private Sequence(int[] pages, int length) {
      this.pages = pages;
      this.length = length;
    }

    /// {@return how many tokens are in the cache}
    public int length() {
      return length;
    }

    /// {@return its pages, in order; the last ones may be reserved and still without tokens}
    public int[] pages() {
      return pages.clone();
    }

    KvCache cache() {
      return KvCache.this;
    }

    /// {@return how many free pages it needs for more tokens}
    ///
    /// @param tokens how many more
    public int needs(int tokens) {
      return Math.max(0, KvCache.pages(length + tokens) - pages.length);
    }

    /// Takes free pages so that more tokens fit.
    ///
    /// @param tokens how many more
    /// @throws ShapeException if too few pages are free
    public void reserve(int tokens) {
      checkOpen();
      int needed = needs(tokens);
      if (needed > freeCount) {
        throw new ShapeException(
            "kv cache: found %d + %d tokens that need %d pages, expected at most the %d that are"
                    .formatted(length, tokens, needed, freeCount)
                + " free");
      }
      int from = pages.length;
      pages = Arrays.copyOf(pages, from + needed);
      for (int i = from; i < pages.length; i++) {
        pages[i] = free[--freeCount];
        holders[pages[i]] = 1;
      }
    }

    /// {@return another sequence with the same tokens: full pages are shared, the last one is
    /// copied}
    ///
    /// @param scope for temporaries
    /// @throws ShapeException if no page is free for the copy
    public Sequence fork(Scope scope) {
      checkOpen();
      int full = length / PAGE;
      Sequence other = open(Arrays.copyOf(pages, full));
      int rest = length % PAGE;
      if (rest > 0) {
        try {
          other.reserve(rest);
        } catch (ShapeException e) {
          other.close();
          throw e;
        }
        for (int i = 0; i < keys.length; i++) {
          copyPage(scope, keys[i], pages[full], other.pages[full], rest);
          copyPage(scope, values[i], pages[full], other.pages[full], rest);
        }
        other.length = length;
      }
      return other;
    }

    /// Counts tokens whose keys and values every layer has written.
    void advance(int tokens) {
      length += tokens;
    }

    private void checkOpen() {
      if (closed) {
        throw new IllegalStateException("kv cache: the sequence is closed");
      }
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        for (int page : pages) {
          release(page);
        }
      }
    }
  }

  private static void copyPage(Scope scope, Tensor all, int from, int to, int tokens) {
    try (Scope block = scope.child()) {
      Layout.copyInPlace(part(block, all, to, tokens), part(block, all, from, tokens));
    }
  }

  private static Tensor part(Scope scope, Tensor all, int page, int tokens) {
    return Layout.narrow(scope, Layout.narrow(scope, all, 0, page, 1), 2, 0, tokens);
  }

  /// Returns the pages of a layer's keys, `(pages, G, P, D)`.
  Tensor keys(int layer) {
    return keys[layer];
  }

  /// As [#keys], of values.
  Tensor values(int layer) {
    return values[layer];
  }
}
