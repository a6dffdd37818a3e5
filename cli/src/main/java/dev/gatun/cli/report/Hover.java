package dev.gatun.cli.report;

import dev.gatun.cli.report.Series.Point;
import java.util.ArrayList;
import java.util.List;

/// The hover text of one column of a chart.
final class Hover {
  private final String axis;
  private final List<String> lines = new ArrayList<>();
  private double first = Double.POSITIVE_INFINITY;
  private double last = Double.NEGATIVE_INFINITY;

  /// @param axis what the points stand at, such as `step`
  Hover(String axis) {
    this.axis = axis;
  }

  /// Adds what a series has in the column.
  void add(String name, List<Point> points) {
    if (points.isEmpty()) {
      return;
    }
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    int gaps = 0;
    for (Point point : points) {
      first = Math.min(first, point.x());
      last = Math.max(last, point.x());
      if (point.plottable()) {
        low = Math.min(low, point.y());
        high = Math.max(high, point.y());
      } else {
        gaps++;
      }
    }
    String range = low > high ? "" : Figures.of(low);
    range += low < high && !Figures.of(high).equals(range) ? " – " + Figures.of(high) : "";
    range += gaps == 0 ? "" : (range.isEmpty() ? "" : ", ") + gaps + " not finite";
    lines.add(name + ": " + range);
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  String text() {
    String steps = Figures.count((long) first);
    String title =
        first == last
            ? axis + " " + steps
            : axis + "s " + steps + " – " + Figures.count((long) last);
    return title + "\n" + String.join("\n", lines);
  }
}
