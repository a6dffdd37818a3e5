package dev.gatun.models.constrain;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Turns rules over characters into a [Network] over bytes of UTF-8.
///
/// Bytes, because a token may hold a part of a character. Characters beyond ASCII are a rule of
/// their own for each set, so that a repeated character costs one state.
final class NetworkBuilder {
  static final int MAX_STATES = 1 << Network.STATE_BITS;
  static final int MAX_EDGES = 1 << 20;

  private final String kind;
  private final Map<String, Integer> numbers = new LinkedHashMap<>();
  private final Map<CharSet, Integer> beyondAscii = new HashMap<>();
  private final List<Integer> starts = new ArrayList<>();
  private final List<Integer> ends = new ArrayList<>();
  private final List<String> names = new ArrayList<>();

  private int[] heads = new int[256];
  private int states;
  private int[] edges = new int[3 * 256];
  private int edgeCount;

  private NetworkBuilder(String kind) {
    this.kind = kind;
  }

  /// Builds the network of rules that the rules `root` names begin.
  ///
  /// @param kind what the rules were written as, for messages
  /// @param rules what each rule says
  /// @param roots rules that a text may begin with
  static Network build(String kind, Map<String, Expr> rules, String... roots) {
    NetworkBuilder builder = new NetworkBuilder(kind);
    rules.keySet().forEach(builder::declare);
    rules.forEach((name, expr) -> {
      int rule = builder.rule(name, name);
      builder.add(expr, builder.starts.get(rule), builder.ends.get(rule));
    });
    int[] rootNumbers = Arrays.stream(roots).mapToInt(root -> builder.rule(root, root)).toArray();
    return new Network(
        kind,
        builder.names,
        builder.starts.stream().mapToInt(Integer::intValue).toArray(),
        builder.ends.stream().mapToInt(Integer::intValue).toArray(),
        Arrays.copyOf(builder.heads, builder.states),
        Arrays.copyOf(builder.edges, 3 * builder.edgeCount),
        rootNumbers);
  }

  private int declare(String name) {
    int number = starts.size();
    numbers.put(name, number);
    names.add(name);
    starts.add(state());
    ends.add(state());
    return number;
  }

  private int rule(String name, String place) {
    Integer number = numbers.get(name);
    if (number == null) {
      throw Refusal.of(kind + ": " + place, "no rule of this name", "a rule that is defined");
    }
    return number;
  }

  private void add(Expr expr, int from, int to) {
    switch (expr) {
      case Expr.Chars(CharSet set) -> chars(set, from, to);
      case Expr.Text(String text) -> word(text, from, to);
      case Expr.Words(List<String> words) -> words(words, from, to);
      case Expr.Chain(List<Expr> parts, int required) -> chain(parts, required, from, to);
      case Expr.Alt(List<Expr> choices) -> choices.forEach(choice -> add(choice, from, to));
      case Expr.Repeat repeat -> repeat(repeat, from, to);
      case Expr.Members members -> members(members, from, to);
      case Expr.Ref(String name) -> edge(from, Network.call(rule(name, name)), to);
    }
  }

  private void chain(List<Expr> parts, int required, int from, int to) {
    int at = from;
    for (int i = 0; i < parts.size(); i++) {
      if (i >= required) {
        edge(at, Network.EMPTY, to);
      }
      int next = state();
      add(parts.get(i), at, next);
      at = next;
    }
    edge(at, Network.EMPTY, to);
  }

  private void repeat(Expr.Repeat repeat, int from, int to) {
    int at = from;
    for (int i = 0; i < repeat.min(); i++) {
      at = behind(repeat.part(), at);
    }
    if (repeat.max() == Expr.Repeat.UNBOUNDED) {
      int loop = state();
      edge(at, Network.EMPTY, loop);
      add(repeat.part(), loop, loop);
      at = loop;
    }
    for (int i = repeat.min(); i < repeat.max(); i++) {
      edge(at, Network.EMPTY, to);
      at = behind(repeat.part(), at);
    }
    edge(at, Network.EMPTY, to);
  }

  private int behind(Expr part, int from) {
    int to = state();
    add(part, from, to);
    return to;
  }

  private void members(Expr.Members all, int from, int to) {
    int first = from; // no member is there yet
    int later = state(); // one is, so the next needs a separator
    for (Expr.Member member : all.members()) {
      int here = state();
      int nextFirst = state();
      int nextLater = state();
      edge(first, Network.EMPTY, here);
      add(all.separator(), later, here);
      add(member.part(), here, nextLater);
      if (!member.required()) {
        edge(first, Network.EMPTY, nextFirst);
        edge(later, Network.EMPTY, nextLater);
      }
      first = nextFirst;
      later = nextLater;
    }
    if (all.extra() != null) {
      int here = state();
      int loop = state();
      edge(first, Network.EMPTY, here);
      edge(later, Network.EMPTY, loop);
      add(all.separator(), loop, here);
      add(all.extra(), here, loop);
      later = loop;
    }
    edge(first, Network.EMPTY, to);
    edge(later, Network.EMPTY, to);
  }

  private void word(String text, int from, int to) {
    int at = from;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      int next = state();
      edge(at, Network.bytes(b & 0xff, b & 0xff), next);
      at = next;
    }
    edge(at, Network.EMPTY, to);
  }

  private void words(List<String> words, int from, int to) {
    record Step(int state, byte value) {}
    Map<Step, Integer> tree = new HashMap<>();
    for (String word : words) {
      int at = from;
      for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
        Step step = new Step(at, b);
        Integer next = tree.get(step);
        if (next == null) {
          next = state();
          tree.put(step, next);
          edge(at, Network.bytes(b & 0xff, b & 0xff), next);
        }
        at = next;
      }
      edge(at, Network.EMPTY, to);
    }
  }

  private void chars(CharSet set, int from, int to) {
    List<int[]> wide = new ArrayList<>();
    for (int[] range : set.ranges()) {
      if (range[0] < 0x80) {
        edge(from, Network.bytes(range[0], Math.min(range[1], 0x7f)), to);
      }
      if (range[1] >= 0x80) {
        wide.add(new int[] {Math.max(range[0], 0x80), range[1]});
      }
    }
    if (!wide.isEmpty()) {
      edge(from, Network.call(wideRule(CharSet.ofRanges(wide))), to);
    }
  }

  private int wideRule(CharSet set) {
    Integer known = beyondAscii.get(set);
    if (known != null) {
      return known;
    }
    int rule = declare("#" + names.size());
    beyondAscii.put(set, rule);
    Map<List<Integer>, Integer> suffixes = new HashMap<>();
    for (int[] range : set.ranges()) {
      wide(range[0], range[1], starts.get(rule), ends.get(rule), suffixes);
    }
    return rule;
  }

  /// Adds a range of characters, split until each byte has a range of its own.
  private void wide(int first, int last, int from, int to, Map<List<Integer>, Integer> suffixes) {
    for (int border : new int[] {0x7ff, 0xffff}) {
      if (first <= border && last > border) {
        wide(first, border, from, to, suffixes);
        wide(border + 1, last, from, to, suffixes);
        return;
      }
    }
    for (int bits = 6; bits <= 18; bits += 6) {
      int low = (1 << bits) - 1;
      if ((first & ~low) != (last & ~low)) {
        if ((first & low) != 0) {
          wide(first, first | low, from, to, suffixes);
          wide((first | low) + 1, last, from, to, suffixes);
          return;
        }
        if ((last & low) != low) {
          wide(first, (last & ~low) - 1, from, to, suffixes);
          wide(last & ~low, last, from, to, suffixes);
          return;
        }
      }
    }
    byte[] firsts = Character.toString(first).getBytes(StandardCharsets.UTF_8);
    byte[] lasts = Character.toString(last).getBytes(StandardCharsets.UTF_8);
    List<Integer> labels = new ArrayList<>();
    for (int i = 0; i < firsts.length; i++) {
      labels.add(Network.bytes(firsts[i] & 0xff, lasts[i] & 0xff));
    }
    edge(from, labels.getFirst(), suffix(labels.subList(1, labels.size()), to, suffixes));
  }

  private int suffix(List<Integer> labels, int to, Map<List<Integer>, Integer> suffixes) {
    if (labels.isEmpty()) {
      return to;
    }
    Integer known = suffixes.get(labels);
    if (known != null) {
      return known;
    }
    int state = state();
    edge(state, labels.getFirst(), suffix(labels.subList(1, labels.size()), to, suffixes));
    suffixes.put(labels, state);
    return state;
  }

  private int state() {
    if (states == MAX_STATES) {
      throw Refusal.of(kind, "more than " + MAX_STATES + " states", "shorter repetitions or lists");
    }
    if (states == heads.length) {
      heads = Arrays.copyOf(heads, 2 * states);
    }
    heads[states] = -1;
    return states++;
  }

  private void edge(int from, int label, int to) {
    if (edgeCount == MAX_EDGES) {
      throw Refusal.of(kind, "more than " + MAX_EDGES + " edges", "shorter repetitions or lists");
    }
    if (3 * edgeCount == edges.length) {
      edges = Arrays.copyOf(edges, 2 * edges.length);
    }
    edges[3 * edgeCount] = label;
    edges[3 * edgeCount + 1] = to;
    edges[3 * edgeCount + 2] = heads[from];
    heads[from] = edgeCount++;
  }
}
