package dev.gatun.cli.report;

import dev.gatun.cli.report.Series.Look;
import dev.gatun.cli.report.Series.Point;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// A line chart over training steps, as one figure with an inline SVG.
///
/// The plot stretches with the page and its text does not: lines are drawn in a stretched inner SVG
/// with strokes that keep their width, texts and dots sit outside at percentages. Invisible columns
/// over the plot carry the values as hover titles.
///
/// @param title what is drawn
/// @param note unit or explanation
/// @param size of the figure
/// @param fromZero whether the value axis starts at 0
/// @param series at least one
/// @param epochs steps at which a new pass over the data began
/// @param axis what the points stand at, such as `step`
record LineChart(
    String title,
    String note,
    Size size,
    boolean fromZero,
    List<Series> series,
    List<Double> epochs,
    String axis) {
  private static final int WIDTH = 1000; // of the inner, stretched picture
  private static final int MAX_EPOCH_MARKS = 12;

  /// How large a chart is drawn.
  enum Size {
    /// Over the whole page.
    LARGE(280, 900, 120, 8),
    /// Two or three in a row.
    SMALL(120, 400, 60, 4);

    final int height; // CSS pixels
    final int buckets; // columns to thin a line to
    final int hovers; // columns with a hover title
    final int intervals; // between ticks, about

    Size(int height, int buckets, int hovers, int intervals) {
      this.height = height;
      this.buckets = buckets;
      this.hovers = hovers;
      this.intervals = intervals;
    }
  }

  /// Appends the figure. Where no series has two values, it says so and shows the one.
  void writeTo(Markup page) {
    double[] values =
        series.stream().flatMapToDouble(s -> Arrays.stream(s.values())).sorted().toArray();
    boolean line = series.stream().anyMatch(s -> s.values().length > 1);
    double ceiling = ceiling();
    boolean logarithmic = line && values[0] > 0 && ceiling > 20 * values[values.length / 2];
    page.raw("<figure class=\"").raw(cssName(size)).raw("\"><figcaption>").element("b", title);
    page.element("span class=\"note\"", logarithmic ? note + ", log scale" : note);
    if (!line) {
      page.raw("</figcaption>").element("p class=\"empty\"", emptyText(values)).raw("</figure>\n");
      return;
    }
    if (series.size() > 1) {
      writeLegend(page);
    }
    page.raw("</figcaption>");
    Axis y = valueAxis(values[0], ceiling, logarithmic);
    Axis x = stepAxis();
    page.raw("<div class=\"plot\"><svg width=\"100%\" height=\"" + (size.height + 22) + "\"");
    page.raw(" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"");
    page.text(title + " by " + axis).raw("\">");
    writeGrid(page, x, y);
    writeLines(page, x, y);
    writeDots(page, x, y);
    writeHovers(page, x);
    page.raw("</svg></div>");
    writeCuts(page, y);
    writeGaps(page);
    page.raw("</figure>\n");
  }

  /// What the value axis must reach: all of every line, but for lone spikes of raw values.
  private double ceiling() {
    return series.stream()
        .filter(s -> s.values().length > 0)
        .mapToDouble(s ->
            series.size() == 1 || s.look() == Look.FAINT
                ? s.ceiling()
                : s.values()[s.values().length - 1])
        .max()
        .orElse(0);
  }

  private String emptyText(double[] values) {
    return switch (values.length) {
      case 0 ->
          series.stream().allMatch(s -> s.points().isEmpty()) ? "No steps." : "No finite value.";
      case 1 -> "One value only, a curve needs two: " + Figures.of(values[0]);
      default -> "One value per line only, a curve needs two.";
    };
  }

  private Axis valueAxis(double low, double high, boolean logarithmic) {
    if (logarithmic) {
      return Axis.decades(low / 1.1, high * 1.1);
    }
    int intervals = size == Size.LARGE ? 6 : 4;
    return Axis.rounded(
        fromZero ? Math.min(0, low) : low, fromZero ? Math.max(0, high) : high, intervals);
  }

  private Axis stepAxis() {
    double[] steps =
        series.stream().flatMap(s -> s.points().stream()).mapToDouble(Point::x).sorted().toArray();
    double first = steps[0];
    double last = steps[steps.length - 1];
    return Axis.exact(first, Math.max(last, first + 1), size.intervals);
  }

  private void writeLegend(Markup page) {
    page.raw("<span class=\"legend\">");
    for (Series line : series) {
      OptionalDouble last = line.last();
      page.raw("<span class=\"").raw(cssName(line.look())).raw("\"><i></i>").text(line.name());
      if (last.isPresent() && line.look() != Look.FAINT) {
        page.raw(" ").element("b", Figures.of(last.getAsDouble()));
      }
      page.raw("</span>");
    }
    page.raw("</span>");
  }

  private void writeGrid(Markup page, Axis x, Axis y) {
    for (Axis.Tick tick : y.ticks()) {
      String at = number(height(y, tick.value()));
      page.raw("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"" + at + "\" y2=\"" + at + "\"/>");
      page.raw("<text class=\"y\" x=\"-8\" y=\"" + at + "\" dy=\"4\">")
          .text(tick.label())
          .raw("</text>");
    }
    page.raw("<text class=\"y\" x=\"-14\" y=\"" + (size.height + 18) + "\">").text(axis);
    page.raw("</text>");
    String labels = "\" y=\"" + (size.height + 18) + "\">";
    for (int i = 0; i < x.ticks().size(); i++) {
      Axis.Tick tick = x.ticks().get(i);
      boolean other = i % 2 == 1 && x.ticks().size() > 6; // left out on a phone
      page.raw(
          "<text class=\""
              + (other ? "x other" : "x")
              + "\" x=\""
              + percent(x.position(tick.value()))
              + labels);
      page.text(tick.label()).raw("</text>");
    }
    if (size == Size.LARGE && epochs.size() <= MAX_EPOCH_MARKS) {
      for (int i = 0; i < epochs.size(); i++) {
        String at = percent(x.position(epochs.get(i)));
        page.raw(
            "<line class=\"epoch\" x1=\""
                + at
                + "\" x2=\""
                + at
                + "\" y1=\"0\" y2=\""
                + size.height
                + "\"/>");
        page.raw(
            "<text class=\"epoch\" x=\"" + at + "\" dx=\"5\" y=\"9\">epoch " + (i + 2) + "</text>");
      }
    }
  }

  private void writeLines(Markup page, Axis x, Axis y) {
    page.raw("<svg class=\"lines\" width=\"100%\" height=\"" + size.height + "\" viewBox=\"0 0 ");
    page.raw(WIDTH + " " + size.height + "\" preserveAspectRatio=\"none\">");
    for (Series line : series) {
      page.raw("<path class=\"").raw(cssName(line.look())).raw("\" d=\"");
      page.raw(path(line.thinned(x, size.buckets), x, y)).raw("\"/>");
    }
    page.raw("</svg>");
  }

  private String path(List<Point> points, Axis x, Axis y) {
    StringBuilder path = new StringBuilder();
    boolean down = false;
    for (int i = 0; i < points.size(); i++) {
      Point point = points.get(i);
      if (point.plottable()) {
        boolean alone = !down && (i + 1 == points.size() || !points.get(i + 1).plottable());
        path.append(down ? 'L' : 'M').append(number(WIDTH * x.position(point.x()))).append(' ');
        path.append(number(height(y, point.y()))).append(alone ? "h0" : "");
      }
      down = point.plottable();
    }
    return path.toString();
  }

  private void writeDots(Markup page, Axis x, Axis y) {
    for (Series line : series) {
      if (line.look() == Look.DOTTED) {
        for (Point point : line.thinned(x, size.hovers)) {
          if (point.plottable()) {
            page.raw("<circle class=\"dotted\" r=\"3.5\" cx=\"" + percent(x.position(point.x())));
            page.raw("\" cy=\"" + number(height(y, point.y())) + "\"/>");
          }
        }
      }
    }
  }

  /// Columns centred on their steps; each tells the range of every series in it.
  private void writeHovers(Markup page, Axis x) {
    int columns = (int) Math.min(size.hovers, x.max() - x.min() + 1);
    double width = (x.max() - x.min()) / Math.max(1, columns - 1);
    int[] next = new int[series.size()];
    for (int column = 0; column < columns; column++) {
      double end =
          column + 1 == columns ? Double.POSITIVE_INFINITY : x.min() + (column + 0.5) * width;
      Hover hover = new Hover(axis);
      for (int i = 0; i < next.length; i++) {
        Series line = series.get(i);
        int from = next[i];
        while (next[i] < line.points().size() && line.points().get(next[i]).x() < end) {
          next[i]++;
        }
        hover.add(line.name(), line.points().subList(from, next[i]));
      }
      if (!hover.isEmpty()) {
        double left = x.position(x.min() + (column - 0.5) * width);
        page.raw(
            "<rect x=\""
                + percent(left)
                + "\" y=\"0\" width=\""
                + percent(width / (x.max() - x.min())));
        page.raw("\" height=\"" + size.height + "\">")
            .element("title", hover.text())
            .raw("</rect>");
      }
    }
  }

  private void writeCuts(Markup page, Axis y) {
    List<Point> cut =
        series.stream()
            .flatMap(s -> s.points().stream())
            .filter(p -> p.plottable() && p.y() > y.max())
            .toList();
    if (!cut.isEmpty()) {
      Point highest = Collections.max(cut, Comparator.comparingDouble(Point::y));
      String many =
          cut.size() == 1 ? "1 spike leaves" : Figures.count(cut.size()) + " spikes leave";
      String where = Figures.of(highest.y()) + " at step " + Figures.count((long) highest.x());
      page.element(
          "p class=\"cut\"", many + " the chart at the top, the highest is " + where + ".");
    }
  }

  private void writeGaps(Markup page) {
    long gaps =
        series.stream()
            .filter(s -> s.look() != Look.FAINT) // it has the gaps of its smoothed line
            .flatMap(s -> s.points().stream())
            .filter(p -> !p.plottable())
            .count();
    if (gaps > 0) {
      page.element(
          "p class=\"gaps\"",
          Figures.count(gaps)
              + (gaps == 1 ? " value is" : " values are")
              + " not finite: the line has a gap there.");
    }
  }

  private double height(Axis y, double value) {
    return size.height * (1 - Math.min(1, y.position(value)));
  }

  private static String cssName(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static String percent(double share) {
    return Math.round(share * 1e4) / 1e2 + "%";
  }

  private static String number(double pixels) {
    long tenths = Math.round(pixels * 10);
    return tenths % 10 == 0 ? Long.toString(tenths / 10) : Double.toString(tenths / 10.0);
  }
}
