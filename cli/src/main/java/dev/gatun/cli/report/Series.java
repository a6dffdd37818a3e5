package dev.gatun.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/// One line of a chart.
///
/// @param name shown in the legend and on hover
/// @param look how it is drawn
/// @param points in drawing order; one that cannot be plotted is a gap
record Series(String name, Look look, List<Point> points) {

  /// How a series is drawn; the name in lower case is its class in the style sheet.
  enum Look {
    /// The raw values behind a smoothed line.
    FAINT,
    /// The main line.
    MAIN,
    /// A line in the second colour with a dot at each value.
    DOTTED,
    /// One of several lines of equal rank, each with a colour of its own.
    C1,
    /// The next.
    C2,
    /// The next.
    C3,
    /// The next.
    C4,
    /// The next.
    C5,
    /// The next.
    C6,
    /// The next.
    C7,
    /// The last.
    C8;

    private static final List<Look> EQUALS = List.of(C1, C2, C3, C4, C5, C6, C7, C8);

    /// The look of one of several lines of equal rank; the colours repeat after eight.
    static Look ofLine(int index) {
      return EQUALS.get(index % EQUALS.size());
    }
  }

  /// A value at a step.
  record Point(double x, double y) {
    Point {
      y = Math.abs(y) < 1e-300 ? 0 : y; // too small to place ticks by
    }

    boolean plottable() {
      return Math.abs(y) < 1e300; // false for NaN
    }
  }

  Series {
    points = List.copyOf(points);
  }

  /// The values that can be plotted, ascending.
  double[] values() {
    return points.stream().filter(Point::plottable).mapToDouble(Point::y).sorted().toArray();
  }

  /// The value that the axis must reach: the highest or, where less than 1 in 200 values lie far
  /// above all the rest, the highest of the rest.
  double ceiling() {
    double[] sorted = values();
    double highest = sorted[sorted.length - 1];
    double rest = sorted[(int) (0.995 * (sorted.length - 1))];
    boolean spikes = sorted.length >= 50 && highest - sorted[0] > 2 * (rest - sorted[0]);
    return spikes ? rest : highest;
  }

  /// The last value that can be plotted.
  OptionalDouble last() {
    return points.reversed().stream().filter(Point::plottable).mapToDouble(Point::y).findFirst();
  }

  /// Fewer points that draw the same picture: of the points that share one of `buckets` columns of
  /// the axis, the first, the lowest, the highest, the last and the first gap stay, in their order.
  /// So every spike and every gap stays in sight.
  List<Point> thinned(Axis x, int buckets) {
    List<Point> kept = new ArrayList<>();
    for (int start = 0; start < points.size(); ) {
      int bucket = bucket(x, start, buckets);
      int low = start;
      int high = start;
      int gap = -1;
      int end = start;
      for (; end < points.size() && bucket(x, end, buckets) == bucket; end++) {
        if (!points.get(end).plottable()) {
          gap = gap < 0 ? end : gap;
        } else {
          double y = points.get(end).y();
          low = !points.get(low).plottable() || y < points.get(low).y() ? end : low;
          high = !points.get(high).plottable() || y > points.get(high).y() ? end : high;
        }
      }
      for (int i = start; i < end; i++) {
        if (i == start || i == low || i == high || i == gap || i == end - 1) {
          kept.add(points.get(i));
        }
      }
      start = end;
    }
    return kept;
  }

  private int bucket(Axis x, int index, int buckets) {
    return (int) Math.min(buckets - 1, x.position(points.get(index).x()) * buckets);
  }

  /// The exponential moving average over about `span` steps, without the pull towards zero at the
  /// start. A gap stays a gap and leaves the average as it was.
  Series smoothed(String newName, int span) {
    double keep = 1 - 2.0 / (span + 1);
    double sum = 0;
    double weight = 0;
    List<Point> result = new ArrayList<>(points.size());
    for (Point point : points) {
      if (point.plottable()) {
        sum = keep * sum + (1 - keep) * point.y();
        weight = keep * weight + (1 - keep);
        result.add(new Point(point.x(), sum / weight));
      } else {
        result.add(point);
      }
    }
    return new Series(newName, Look.MAIN, result);
  }
}
