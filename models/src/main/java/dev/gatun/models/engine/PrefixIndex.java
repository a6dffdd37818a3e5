package dev.gatun.models.engine;

import dev.gatun.models.nn.KvCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Full pages of the cache by the tokens in them and before them, and by the adapter that they went
/// through: a text finds the keys and values of its beginning only where another has left exactly
/// these. For the engine's thread alone.
final class PrefixIndex {
  /// The tokens of one page.
  private record Tokens(int[] ids) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Tokens tokens && Arrays.equals(ids, tokens.ids);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(ids);
    }

    @Override
    public String toString() {
      return Arrays.toString(ids);
    }
  }

  /// A page and those that follow it in one text or another.
  private static final class Node {
    private final Node parent;
    private final Tokens tokens;
    private final int page;
    private final Map<Tokens, Node> next = new HashMap<>();

    Node(@Nullable Node parent, Tokens tokens, int page) {
      this.parent = parent == null ? this : parent;
      this.tokens = tokens;
      this.page = page;
    }

    boolean isRoot() {
      return parent == this;
    }
  }

  private final KvCache cache;
  private final Map<Long, Node> roots = new HashMap<>();

  /// All nodes but the roots, those not used for the longest time in front; a node comes after
  /// those behind it in a text.
  private final LinkedHashSet<Node> nodes = new LinkedHashSet<>();

  PrefixIndex(KvCache cache) {
    this.cache = cache;
  }

  private static long key(@Nullable AdapterHandle adapter) {
    return adapter == null ? 0 : adapter.generation();
  }

  private static Tokens page(int[] text, int number) {
    int from = number * KvCache.PAGE;
    return new Tokens(Arrays.copyOfRange(text, from, from + KvCache.PAGE));
  }

  /// Returns the pages of a text's beginning, of at most `most` tokens.
  int[] find(@Nullable AdapterHandle adapter, int[] text, int most) {
    List<Node> found = new ArrayList<>();
    Node at = roots.get(key(adapter));
    for (int i = 0; at != null && (i + 1) * KvCache.PAGE <= most; i++) {
      at = at.next.get(page(text, i));
      if (at != null) {
        found.add(at);
      }
    }
    touch(found);
    return found.stream().mapToInt(node -> node.page).toArray();
  }

  /// Keeps the full pages of a text.
  ///
  /// @param text at least `length` ids
  /// @param length how many of them are in the pages
  /// @param pages the text's pages, in order
  void add(@Nullable AdapterHandle adapter, int[] text, int length, int... pages) {
    Node at = roots.computeIfAbsent(key(adapter), key -> new Node(null, new Tokens(new int[0]), 0));
    List<Node> path = new ArrayList<>();
    for (int i = 0; (i + 1) * KvCache.PAGE <= length; i++) {
      Tokens tokens = page(text, i);
      Node next = at.next.get(tokens);
      if (next == null) {
        next = new Node(at, tokens, pages[i]);
        at.next.put(tokens, next);
        cache.retain(pages[i]);
      }
      path.add(next);
      at = next;
    }
    touch(path);
  }

  private void touch(List<Node> path) {
    for (int i = path.size() - 1; i >= 0; i--) {
      nodes.remove(path.get(i));
      nodes.add(path.get(i));
    }
  }

  /// Lets go of the page that was not used for the longest time and that no text holds.
  ///
  /// @return whether there was one
  boolean evict() {
    for (Node node : nodes) {
      if (node.next.isEmpty() && cache.holders(node.page) == 1) {
        remove(node);
        return true;
      }
    }
    return false;
  }

  private void remove(Node node) {
    nodes.remove(node);
    node.parent.next.remove(node.tokens);
    cache.release(node.page);
  }

  /// Forgets an adapter's pages.
  void forget(AdapterHandle adapter) {
    Node root = roots.remove(key(adapter));
    if (root != null) {
      forget(root);
    }
  }

  private void forget(Node node) {
    for (Node next : List.copyOf(node.next.values())) {
      forget(next);
    }
    if (!node.isRoot()) {
      remove(node);
    }
  }

  /// Forgets everything.
  void clear() {
    nodes.forEach(node -> cache.release(node.page));
    nodes.clear();
    roots.clear();
  }

  int size() {
    return nodes.size();
  }
}
