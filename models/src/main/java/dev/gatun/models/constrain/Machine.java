package dev.gatun.models.constrain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a [Network] over bytes, all its ways at once. Thread-safe.
///
/// The calls of one rule at one place of the text share a frame with all their callers, as in
/// Earley's algorithm (CACM 13(2), 1970), so an ambiguous grammar costs polynomial time; a call
/// that nothing follows in its caller returns to that caller's callers, so a list written by right
/// recursion does not grow. Frames and states are immutable and made once each: equal places are
/// one [State], whose successors and mask are kept until too much is kept.
final class Machine {
  /// Ways and callers to look at for one mask or token: beyond, a grammar is too ambiguous.
  static final int MAX_WORK = 2_000_000;

  static final int MAX_KEPT = 4_000_000; // longs
  private static final int MAX_MASKS = 256;

  /// Where a rule goes on when it ends: a return state, and the frame that this belongs to, for
  /// each caller.
  static final class Frame {
    private final long id;
    private final int[] returns;
    private final Frame[] parents;

    private Frame(long id, int[] returns, Frame[] parents) {
      this.id = id;
      this.returns = returns;
      this.parents = parents;
    }
  }

  /// A place in a text: each state of the network that takes a byte, with its frame.
  static final class State {
    private final int[] at;
    private final Frame[] in;
    private final boolean accepting;
    private final @Nullable State[] next; // per class of bytes; each is written once or twice alike

    private State(int[] at, Frame[] in, boolean accepting, int classes) {
      this.at = at;
      this.in = in;
      this.accepting = accepting;
      this.next = new State[at.length == 0 ? 0 : classes];
    }

    /// Returns whether a text may end here.
    boolean isAccepting() {
      return accepting;
    }

    /// Returns whether no byte may follow.
    boolean isLast() {
      return at.length == 0;
    }
  }

  private record Key(long[] values, boolean accepting) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key
          && accepting == key.accepting
          && Arrays.equals(values, key.values);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(values);
    }
  }

  private record MaskKey(TokenText text, State state) {}

  private final Network network;
  private final Frame outermost = new Frame(0, new int[0], new Frame[0]);
  private final State nowhere = new State(new int[0], new Frame[0], false, 0);
  private final Map<Key, State> states = new HashMap<>();
  private final Map<Key, Frame> frames = new HashMap<>();
  private final Map<MaskKey, long[]> masks =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<MaskKey, long[]> eldest) {
          return size() > MAX_MASKS;
        }
      };
  private final State[] starts;
  private long frameCount = 1;
  private int kept;
  private int work;

  Machine(Network network, int roots) {
    this.network = network;
    this.starts = new State[roots];
    for (int root = 0; root < roots; root++) {
      work = 0;
      Closure closure = new Closure();
      closure.add(network.start(network.root(root)), outermost);
      starts[root] = closure.close();
    }
  }

  /// Returns the place in front of a text.
  State start(int root) {
    return starts[root];
  }

  /// Returns the place behind more bytes, or null where they cannot stand.
  synchronized @Nullable State advance(State from, byte[] bytes) {
    work = 0;
    State state = from;
    for (byte b : bytes) {
      state = next(state, b);
      if (state == nowhere) {
        return null;
      }
    }
    return state;
  }

  /// Returns a bit for each id that may stand at a place, and whose bytes are not none.
  synchronized long[] mask(State state, TokenText text) {
    MaskKey key = new MaskKey(text, state);
    long[] mask = masks.get(key);
    if (mask == null) {
      work = 0;
      mask = new long[(text.vocabularySize() + 63) / 64];
      walk(state, text, mask);
      masks.put(key, mask);
    }
    return mask;
  }

  private void walk(State start, TokenText text, long[] mask) {
    State[] path = new State[text.longest() + 1];
    Arrays.fill(path, start);
    int node = 0;
    while (node < text.nodeCount()) {
      int depth = text.depth(node);
      State next = next(path[depth - 1], text.label(node));
      if (next == nowhere) {
        node = text.behind(node);
      } else {
        path[depth] = next;
        text.mark(node, mask);
        node++;
      }
    }
  }

  private State next(State state, byte value) {
    if (state.isLast()) {
      return nowhere;
    }
    int byteClass = network.classOf(value);
    State next = state.next[byteClass];
    if (next == null) {
      Closure closure = new Closure();
      for (int i = 0; i < state.at.length; i++) {
        for (int e = network.firstEdge(state.at[i]); e >= 0; e = network.nextEdge(e)) {
          count(1);
          if (network.takes(network.label(e), byteClass)) {
            closure.add(network.target(e), state.in[i]);
          }
        }
      }
      next = closure.close();
      state.next[byteClass] = next;
    }
    return next;
  }

  /// Returns how much is kept, in longs.
  synchronized int kept() {
    return kept;
  }

  private void count(int steps) {
    work += steps;
    if (work > MAX_WORK) {
      throw new IllegalStateException(
          network.kind()
              + ": found more than "
              + MAX_WORK
              + " steps for one token, expected a grammar with fewer ways to read a text");
    }
  }

  /// Forgets what was kept, once it is too much. Places in use stay valid.
  private void keep(int size) {
    kept += size;
    if (kept > MAX_KEPT) {
      states.clear();
      frames.clear();
      masks.clear();
      kept = size;
    }
  }

  private Frame frame(List<Return> returns) {
    Return[] sorted = returns.toArray(Return[]::new);
    Arrays.sort(sorted, Comparator.comparingLong(Return::key));
    int size = 0;
    for (Return each : sorted) {
      if (size == 0 || sorted[size - 1].key() != each.key()) {
        sorted[size++] = each;
      }
    }
    long[] keys = new long[size];
    int[] states = new int[size];
    Frame[] parents = new Frame[size];
    for (int i = 0; i < size; i++) {
      keys[i] = sorted[i].key();
      states[i] = sorted[i].state();
      parents[i] = sorted[i].frame();
    }
    Key key = new Key(keys, false);
    Frame frame = frames.get(key);
    if (frame == null) {
      keep(3 * size + 16);
      frame = new Frame(frameCount++, states, parents);
      frames.put(key, frame);
    }
    return frame;
  }

  private static long key(int state, long frame) {
    return frame << Network.STATE_BITS | state;
  }

  private record Return(int state, Frame frame) {
    long key() {
      return Machine.key(state, frame.id);
    }
  }

  /// A rule called at the place in work: its callers may still become more.
  private static final class OpenFrame {
    final int rule;
    final List<Return> returns = new ArrayList<>(); // of callers from before this place
    final List<Inner> inner = new ArrayList<>(); // of callers that are open, too
    private @Nullable Frame frozen;

    OpenFrame(int rule) {
      this.rule = rule;
    }

    Frame frozen() {
      return Objects.requireNonNull(frozen, "callers are frozen first");
    }
  }

  private record Inner(int state, OpenFrame frame) {}

  /// All that can be reached without a further byte.
  private final class Closure {
    private final Set<Long> seen = new HashSet<>();
    private final Map<Integer, OpenFrame> called = new HashMap<>();
    private final List<Return> settled = new ArrayList<>(); // takes bytes, in a frame from before
    private final List<Inner> unsettled = new ArrayList<>(); // takes bytes, in an open one
    private final List<Return> todo = new ArrayList<>();
    private final List<Inner> innerTodo = new ArrayList<>();
    private boolean accepting;

    void add(int state, Frame frame) {
      if (seen.add(key(state, frame.id))) {
        todo.add(new Return(state, frame));
      }
    }

    private void add(int state, OpenFrame frame) {
      if (seen.add(-1 - key(state, frame.rule))) {
        innerTodo.add(new Inner(state, frame));
      }
    }

    State close() {
      while (!todo.isEmpty() || !innerTodo.isEmpty()) {
        if (todo.isEmpty()) {
          visit(innerTodo.removeLast());
        } else {
          visit(todo.removeLast());
        }
      }
      freeze();
      for (Inner inner : unsettled) {
        settled.add(new Return(inner.state(), inner.frame().frozen()));
      }
      return state();
    }

    private void visit(Return item) {
      count(1);
      Frame frame = item.frame();
      if (network.isEnd(item.state())) {
        accepting |= frame == outermost;
        count(frame.returns.length);
        for (int i = 0; i < frame.returns.length; i++) {
          add(frame.returns[i], frame.parents[i]);
        }
      }
      boolean takesBytes = false;
      for (int e = network.firstEdge(item.state()); e >= 0; e = network.nextEdge(e)) {
        count(1);
        int label = network.label(e);
        int target = network.target(e);
        if (label == Network.EMPTY) {
          add(target, frame);
        } else if (Network.isCall(label)) {
          int rule = Network.called(label);
          call(rule).returns.add(new Return(target, frame));
          if (network.isNullable(rule)) {
            add(target, frame);
          }
        } else {
          takesBytes = true;
        }
      }
      if (takesBytes) {
        settled.add(item);
      }
    }

    // an end needs no return here: a rule that can be empty was passed over at its call
    private void visit(Inner item) {
      boolean takesBytes = false;
      for (int e = network.firstEdge(item.state()); e >= 0; e = network.nextEdge(e)) {
        count(1);
        int label = network.label(e);
        int target = network.target(e);
        if (label == Network.EMPTY) {
          add(target, item.frame());
        } else if (Network.isCall(label)) {
          int rule = Network.called(label);
          call(rule).inner.add(new Inner(target, item.frame()));
          if (network.isNullable(rule)) {
            add(target, item.frame());
          }
        } else {
          takesBytes = true;
        }
      }
      if (takesBytes) {
        unsettled.add(item);
      }
    }

    private OpenFrame call(int rule) {
      OpenFrame frame = called.get(rule);
      if (frame == null) {
        frame = new OpenFrame(rule);
        called.put(rule, frame);
        add(network.start(rule), frame);
      }
      return frame;
    }

    private void freeze() {
      List<OpenFrame> callersFirst = new ArrayList<>(called.values());
      callersFirst.sort(Comparator.comparingInt(frame -> network.order(frame.rule)));
      for (OpenFrame open : callersFirst) {
        List<Return> returns = new ArrayList<>();
        for (Return each : open.returns) {
          settle(each.state(), each.frame(), returns);
        }
        for (Inner each : open.inner) {
          settle(each.state(), each.frame().frozen(), returns);
        }
        open.frozen = frame(returns);
      }
    }

    /// Adds where to return to: past callers that have nothing left to do.
    private void settle(int state, Frame frame, List<Return> returns) {
      if (!network.onlyEnds(state) || frame == outermost) {
        count(1);
        returns.add(new Return(state, frame));
        return;
      }
      count(frame.returns.length);
      for (int i = 0; i < frame.returns.length; i++) {
        returns.add(new Return(frame.returns[i], frame.parents[i]));
      }
    }

    private State state() {
      if (settled.isEmpty() && !accepting) {
        return nowhere;
      }
      Return[] sorted = settled.toArray(Return[]::new);
      Arrays.sort(sorted, Comparator.comparingLong(Return::key));
      long[] keys = new long[sorted.length];
      for (int i = 0; i < keys.length; i++) {
        keys[i] = sorted[i].key();
      }
      Key key = new Key(keys, accepting);
      State state = states.get(key);
      if (state == null) {
        int[] at = new int[keys.length];
        Frame[] in = new Frame[keys.length];
        for (int i = 0; i < keys.length; i++) {
          at[i] = sorted[i].state();
          in[i] = sorted[i].frame();
        }
        keep(3 * keys.length + network.classCount() + 16);
        state = new State(at, in, accepting, network.classCount());
        states.put(key, state);
      }
      return state;
    }
  }
}
