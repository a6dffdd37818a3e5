package dev.gatun.templates;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A loop's own variable `loop`.
final class LoopState {
  private final Python python;
  private final List<Object> items;
  private int index;
  private @Nullable Object changed;

  LoopState(Python python, List<Object> items) {
    this.python = python;
    this.items = items;
  }

  void move(int to) {
    index = to;
  }

  int length() {
    return items.size();
  }

  @Nullable Object attribute(String name) {
    long size = items.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> size - index;
      case "revindex0" -> size - index - 1;
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> size;
      case "depth" -> 1L; // counts recursive loops only
      case "depth0" -> 0L;
      case "previtem" -> neighbour(index - 1, name);
      case "nextitem" -> neighbour(index + 1, name);
      case "cycle" -> (Callable) this::cycle;
      case "changed" -> (Callable) this::changed;
      default -> null;
    };
  }

  private Object neighbour(int place, String name) {
    return place >= 0 && place < items.size()
        ? items.get(place)
        : new Undefined("`loop." + name + "`");
  }

  private Object cycle(Arguments arguments) {
    List<Object> values = arguments.positional();
    if (values.isEmpty()) {
      throw new TemplateException("cycle: found no argument, expected at least one");
    }
    return values.get(index % values.size());
  }

  private Object changed(Arguments arguments) {
    Object now = new Tuple(arguments.positional());
    boolean same = changed != null && python.equal(changed, now);
    changed = now;
    return !same;
  }
}
