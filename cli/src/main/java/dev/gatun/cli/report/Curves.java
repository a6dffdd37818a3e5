package dev.gatun.cli.report;

import dev.gatun.cli.report.LineChart.Size;
import dev.gatun.cli.report.RunReport.EvalPoint;
import dev.gatun.cli.report.RunReport.TrainPoint;
import dev.gatun.cli.report.Series.Look;
import dev.gatun.cli.report.Series.Point;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// The charts of a run.
final class Curves {
  private static final int LEAST_TO_SMOOTH = 12;
  private static final double MEBIBYTE = 1024 * 1024;

  private final RunReport report;
  private final List<Double> epochs;

  Curves(RunReport report) {
    this.report = report;
    this.epochs = epochStarts(report.train());
  }

  void writeTo(Markup page) {
    page.raw("<section><h2>Curves</h2>\n");
    lossChart().writeTo(page);
    bestEval().ifPresent(text -> page.element("p class=\"remark\"", text));
    List<LineChart> small = smallCharts();
    page.raw("<div class=\"charts of" + small.size() + "\">\n");
    small.forEach(chart -> chart.writeTo(page));
    page.raw("</div></section>\n");
  }

  private LineChart lossChart() {
    Series raw = train("train", Look.MAIN, TrainPoint::taskLoss);
    List<Series> series = new ArrayList<>();
    int values = raw.values().length;
    if (values < LEAST_TO_SMOOTH) {
      series.add(raw);
    } else {
      int span = Math.clamp(values / 20, 5, 200);
      series.add(new Series("each step", Look.FAINT, raw.points()));
      series.add(raw.smoothed("train, mean of about " + span + " steps", span));
    }
    if (!report.evals().isEmpty()) {
      List<Point> points = report.evals().stream().map(e -> new Point(e.step(), e.loss())).toList();
      series.add(new Series("eval", Look.DOTTED, points));
    }
    return new LineChart("Loss", "nats per token", Size.LARGE, false, series, epochs, "step");
  }

  private List<LineChart> smallCharts() {
    List<LineChart> charts = new ArrayList<>();
    if (report.train().stream().anyMatch(p -> p.klLoss() != null)) {
      charts.add(small("KL loss", "nats", p -> Objects.requireNonNullElse(p.klLoss(), Double.NaN)));
    }
    charts.add(small("Learning rate", "", TrainPoint::learningRate));
    if (report.train().stream().anyMatch(p -> !Double.isNaN(p.gradNorm()))) {
      charts.add(small("Gradient norm", "before clipping", TrainPoint::gradNorm));
    }
    charts.add(small("Throughput", "tokens/s", TrainPoint::tokensPerSecond));
    charts.add(small("Native memory", "MiB", p -> p.nativeBytes() / MEBIBYTE));
    return charts;
  }

  private LineChart small(String title, String unit, ToDoubleFunction<TrainPoint> value) {
    Series series = train(title.toLowerCase(Locale.ROOT), Look.MAIN, value);
    double[] values = series.values();
    String note = unit;
    if (values.length > 1) {
      String median = Figures.trimmed(values[values.length / 2]);
      String highest = Figures.trimmed(values[values.length - 1]);
      String range = median.equals(highest) ? median : "median " + median + ", highest " + highest;
      note = (range + " " + unit).strip();
    }
    return new LineChart(title, note, Size.SMALL, true, List.of(series), epochs, "step");
  }

  private Series train(String name, Look look, ToDoubleFunction<TrainPoint> value) {
    List<Point> points =
        report.train().stream().map(p -> new Point(p.step(), value.applyAsDouble(p))).toList();
    return new Series(name, look, points);
  }

  /// Says so where the lowest evaluation was not the last: more steps did not help.
  private Optional<String> bestEval() {
    List<EvalPoint> evals = report.evals().stream().filter(e -> Double.isFinite(e.loss())).toList();
    if (evals.size() < 3) {
      return Optional.empty();
    }
    EvalPoint last = evals.getLast();
    EvalPoint best = evals.stream().min(Comparator.comparingDouble(EvalPoint::loss)).orElse(last);
    if (last.loss() - best.loss() <= 0.005 * Math.abs(best.loss())) {
      return Optional.empty();
    }
    return Optional.of(
        "Lowest eval loss "
            + Figures.of(best.loss())
            + " at step "
            + Figures.count(best.step())
            + ", "
            + Figures.of(last.loss())
            + " at the last evaluation: the steps after it did not help on held-out data.");
  }

  private static List<Double> epochStarts(List<TrainPoint> train) {
    List<Double> starts = new ArrayList<>();
    for (int i = 1; i < train.size() - 1; i++) {
      if (Math.floor(train.get(i).epoch()) > Math.floor(train.get(i - 1).epoch())) {
        starts.add((double) train.get(i).step());
      }
    }
    return starts;
  }
}
