package dev.gatun.models.constrain;

import java.util.Arrays;
import java.util.List;

/// A context-free grammar over bytes as a recursive transition network (Woods, CACM 13(10), 1970).
///
/// Each rule is an automaton from a start to an end state. An edge takes a byte of a range, takes
/// nothing, or takes what another rule takes. Every rule that is there ends some text, and none
/// calls itself before it takes a byte; others are refused. Immutable.
final class Network {
  static final int STATE_BITS = 17;

  /// Label of an edge that takes nothing.
  static final int EMPTY = -1;

  private final String kind;
  private final List<String> names;
  private final int[] starts;
  private final int[] ends;
  private final int[] heads; // first edge of each state, or -1
  private final int[] edges; // label, target, next edge of the same state or -1
  private final int[] roots;
  private final boolean[] isEnd;
  private final boolean[] nullable;
  private final int[] order; // of each rule: callers before those they call before any byte
  private final byte[] classes; // of each byte
  private final int[] samples; // one byte of each class

  Network(
      String kind,
      List<String> names,
      int[] starts,
      int[] ends,
      int[] heads,
      int[] edges,
      int[] roots) {
    this.kind = kind;
    this.names = names;
    this.starts = starts;
    this.ends = ends;
    this.heads = heads;
    this.edges = edges;
    this.roots = roots;
    this.isEnd = new boolean[heads.length];
    for (int end : ends) {
      isEnd[end] = true;
    }
    boolean[] productive = new Reach(true).ended;
    for (int rule = starts.length - 1; rule >= 0; rule--) { // the roots come first
      if (!productive[rule]) {
        throw Refusal.of(place(rule), "a rule that no finite text follows", "a way to its end");
      }
    }
    this.nullable = new Reach(false).ended;
    this.order = callOrder();
    boolean[] borders = new boolean[257];
    for (int e = 0; e < edges.length; e += 3) {
      if (edges[e] >= 0) {
        borders[edges[e] >> 8] = true;
        borders[(edges[e] & 0xff) + 1] = true;
      }
    }
    this.classes = new byte[256];
    int[] first = new int[256];
    int last = 0;
    for (int b = 1; b < 256; b++) {
      if (borders[b]) {
        first[++last] = b;
      }
      classes[b] = (byte) last;
    }
    this.samples = Arrays.copyOf(first, last + 1);
  }

  /// Label of an edge that takes a byte of a range.
  static int bytes(int first, int last) {
    return first << 8 | last;
  }

  /// Label of an edge that takes what a rule takes.
  static int call(int rule) {
    return -2 - rule;
  }

  static boolean isCall(int label) {
    return label < EMPTY;
  }

  static int called(int label) {
    return -2 - label;
  }

  boolean takes(int label, int byteClass) {
    int sample = samples[byteClass];
    return label >= 0 && label >> 8 <= sample && sample <= (label & 0xff);
  }

  String kind() {
    return kind;
  }

  int root(int index) {
    return roots[index];
  }

  int ruleCount() {
    return starts.length;
  }

  int start(int rule) {
    return starts[rule];
  }

  boolean isEnd(int state) {
    return isEnd[state];
  }

  boolean isNullable(int rule) {
    return nullable[rule];
  }

  /// Returns a rule's place: less than that of each rule that it calls before it takes a byte.
  int order(int rule) {
    return order[rule];
  }

  int classCount() {
    return samples.length;
  }

  int classOf(byte value) {
    return classes[value & 0xff] & 0xff;
  }

  /// Returns a state's first edge, or -1.
  int firstEdge(int state) {
    return heads[state];
  }

  int nextEdge(int edge) {
    return edges[3 * edge + 2];
  }

  int label(int edge) {
    return edges[3 * edge];
  }

  int target(int edge) {
    return edges[3 * edge + 1];
  }

  /// Returns whether a rule can only end once it has come to a state.
  boolean onlyEnds(int state) {
    int at = state;
    for (int i = 0; i < 64 && heads[at] >= 0; i++) {
      int edge = heads[at];
      if (nextEdge(edge) >= 0 || label(edge) != EMPTY) {
        return false;
      }
      at = target(edge);
    }
    return isEnd[at] && heads[at] < 0;
  }

  private String place(int rule) {
    String name = names.get(rule);
    return name.startsWith("#") || name.isEmpty() ? kind + ": " + name : kind + ": rule " + name;
  }

  /// Orders the rules by who calls whom before it takes a byte.
  private int[] callOrder() {
    int[] place = new int[starts.length];
    int[] mark = new int[starts.length]; // 0 new, 1 on the path, 2 done
    int[][] callees = new int[starts.length][];
    int[] at = new int[starts.length];
    int[] path = new int[starts.length];
    int free = starts.length;
    boolean[] seen = new boolean[heads.length];
    for (int root = 0; root < starts.length; root++) {
      int depth = 0;
      if (mark[root] == 0) {
        mark[root] = 1;
        path[depth++] = root;
      }
      while (depth > 0) {
        int rule = path[depth - 1];
        if (callees[rule] == null) {
          callees[rule] = firstCallees(rule, seen);
        }
        if (at[rule] == callees[rule].length) {
          mark[rule] = 2;
          place[rule] = --free;
          depth--;
          continue;
        }
        int callee = callees[rule][at[rule]++];
        if (mark[callee] == 1) {
          throw Refusal.of(
              place(callee), "left recursion", "a rule that takes a character before itself");
        }
        if (mark[callee] == 0) {
          mark[callee] = 1;
          path[depth++] = callee;
        }
      }
    }
    return place;
  }

  private int[] firstCallees(int rule, boolean[] seen) {
    IntStack found = new IntStack();
    IntStack open = new IntStack();
    open.push(starts[rule]);
    while (!open.isEmpty()) {
      int state = open.pop();
      if (seen[state]) {
        continue;
      }
      seen[state] = true;
      for (int e = heads[state]; e >= 0; e = nextEdge(e)) {
        int label = label(e);
        if (isCall(label)) {
          found.push(called(label));
        }
        if (label == EMPTY || (isCall(label) && nullable[called(label)])) {
          open.push(target(e));
        }
      }
    }
    return found.toArray();
  }

  /// Which rules can come to their ends, with bytes or without.
  private final class Reach {
    final boolean[] ended = new boolean[starts.length];
    private final boolean[] reached = new boolean[heads.length];
    private final IntStack[] waiting = new IntStack[starts.length];
    private final IntStack open = new IntStack();

    Reach(boolean withBytes) {
      int[] ruleOfEnd = new int[heads.length];
      Arrays.setAll(waiting, rule -> new IntStack());
      for (int rule = 0; rule < starts.length; rule++) {
        ruleOfEnd[ends[rule]] = rule;
        open.push(starts[rule]);
      }
      while (!open.isEmpty()) {
        int state = open.pop();
        if (reached[state]) {
          continue;
        }
        reached[state] = true;
        if (isEnd[state] && !ended[ruleOfEnd[state]]) {
          ended[ruleOfEnd[state]] = true;
          IntStack callers = waiting[ruleOfEnd[state]];
          while (!callers.isEmpty()) {
            open.push(callers.pop());
          }
        }
        for (int e = heads[state]; e >= 0; e = nextEdge(e)) {
          int label = label(e);
          if (isCall(label) && !ended[called(label)]) {
            waiting[called(label)].push(target(e));
          } else if (label < 0 || withBytes) {
            open.push(target(e));
          }
        }
      }
    }
  }

  /// A stack of ints.
  private static final class IntStack {
    private int[] values = new int[4];
    private int size;

    void push(int value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = value;
    }

    int pop() {
      return values[--size];
    }

    boolean isEmpty() {
      return size == 0;
    }

    int[] toArray() {
      return Arrays.copyOf(values, size);
    }
  }
}
