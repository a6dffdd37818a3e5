package dev.gatun.models.engine;

import java.util.List;

/// Looks for stop texts in a text that grows, and holds back what might begin one. Not thread-safe.
public final class StopTexts {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  /// Starts with an empty text.
  ///
  /// @param stops texts of at least one character; none for a text without an end of its own
  public StopTexts(List<String> stops) {
    this.stops = List.copyOf(stops);
  }

  /// Takes more text.
  ///
  /// @param piece what comes next
  /// @return what is certain to stand before any stop text
  public String add(String piece) {
    if (stops.isEmpty()) {
      return piece;
    }
    held.append(piece);
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    if (first >= 0) {
      found = true;
      return released(first);
    }
    int keep = 0;
    for (String stop : stops) {
      keep = Math.max(keep, overlap(stop));
    }
    return released(held.length() - keep);
  }

  /// Returns how many characters at the end may be the beginning of a stop text.
  private int overlap(String stop) {
    for (int count = Math.min(stop.length() - 1, held.length()); count > 0; count--) {
      if (held.indexOf(stop.substring(0, count), held.length() - count) >= 0) {
        return count;
      }
    }
    return 0;
  }

  private String released(int count) {
    String text = held.substring(0, count);
    held.delete(0, count);
    return text;
  }

  /// {@return whether a stop text has come}
  public boolean isFound() {
    return found;
  }

  /// {@return what was held back, at the end of a text without a stop text}
  public String rest() {
    return found ? "" : released(held.length());
  }
}
