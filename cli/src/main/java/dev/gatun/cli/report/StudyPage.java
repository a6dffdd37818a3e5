package dev.gatun.cli.report;

import dev.gatun.cli.report.LineChart.Size;
import dev.gatun.cli.report.Series.Look;
import dev.gatun.cli.report.Series.Point;
import dev.gatun.cli.study.Metric;
import dev.gatun.cli.study.Recipe;
import dev.gatun.cli.study.RunRecord;
import dev.gatun.cli.study.Statistics;
import dev.gatun.cli.study.Summary;
import dev.gatun.models.metrics.Calibration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A study as one HTML page that needs no network, no script and no other file.
public final class StudyPage {
  private static final double SIGNIFICANT = 0.05;

  private final Summary summary;
  private final Markup page;

  private StudyPage(Summary summary) {
    this.summary = summary;
    this.page = HtmlReport.begun(summary.recipe().name());
  }

  /// {@return the page}
  ///
  /// @param summary what to show
  /// @param environment what it ran on
  public static String of(Summary summary, RunReport.Environment environment) {
    StudyPage study = new StudyPage(summary);
    study.writeHeader();
    study.writeResults();
    study.writeCharts();
    study.page.raw("<div class=\"tables\">\n");
    HtmlReport.writeTable(study.page, "Each run", "", study.course());
    HtmlReport.writeTable(study.page, "Environment", "", HtmlReport.facts(environment));
    study.page.raw("</div></main></body></html>\n");
    return study.page.toString();
  }

  private void writeHeader() {
    Recipe recipe = summary.recipe();
    page.raw("<header>").element("h1", recipe.name());
    page.element(
        "p class=\"model\"",
        "%d methods, %d seeds each".formatted(recipe.methods().size(), recipe.seeds().size())
            + (summary.speedup() == null
                ? ""
                : ("; a step of those that share a pass is %.2f times as fast as their steps one"
                        + " after the other")
                    .formatted(summary.speedup())));
    page.raw("</header>\n");
  }

  /// A cell of a table.
  ///
  /// @param figure what stands there
  /// @param spread its standard deviation, or nothing
  /// @param below a second line, or nothing
  /// @param isBest whether it is bold
  private record Cell(String figure, String spread, String below, boolean isBest) {
    static Cell of(String figure) {
      return new Cell(figure, "", "", false);
    }

    static Cell of(@Nullable Statistics figure, boolean isBest) {
      return figure == null ? of("") : new Cell(number(figure.mean()), spread(figure), "", isBest);
    }

    /// Returns this cell with an ensemble's figure below it, where there is one.
    Cell with(@Nullable Statistics ensemble) {
      String text = ensemble == null ? "" : "ensemble " + number(ensemble.mean());
      return new Cell(figure, spread, text, isBest);
    }

    private static String spread(Statistics figure) {
      return Double.isNaN(figure.deviation()) ? "" : "± " + number(figure.deviation());
    }

    private static String number(double value) {
      return Double.isNaN(value) ? "–" : Figures.sign("%.3f".formatted(value));
    }
  }

  /// A column of a table.
  private record Column(String head, Function<Summary.Row, Cell> cell) {}

  private void writeResults() {
    if (summary.metrics().isEmpty()) {
      List<Column> columns = new ArrayList<>();
      columns.add(parameters());
      columns.addAll(losses());
      columns.addAll(costs());
      summary.otherReported().forEach(name -> columns.add(reported(name)));
      page.raw("<section>");
      writeTable(columns, true);
      page.raw("</section>\n");
    } else {
      page.raw("<section>").element("h2", "Metrics of " + summary.recipe().heldOutTask());
      writeTable(metrics(), true);
      List<Column> columns = new ArrayList<>(losses());
      columns.addAll(costs());
      columns.add(1, parameters());
      page.raw("</section>\n<section>").element("h2", "Loss and costs");
      writeTable(columns, false);
      page.raw("</section>\n");
    }
    page.element("p class=\"note\"", note());
  }

  private String note() {
    return "Mean and standard deviation over the seeds; p of Wilcoxon's signed-rank test, paired by"
        + " seed, two-sided, bold below 0.05, not corrected for several comparisons. "
        + (summary.metrics().isEmpty() ? "" : "Paper: its figures, in the units of ours. ")
        + (summary.recipe().hasHead() ? "Losses per row. " : "Losses in nats per predicted token. ")
        + "Ensemble: over several draws of the masks, logits averaged. "
        + "Gap: held-out loss minus loss on the training rows at the end. Step time and memory over"
        + " the first method's, measured by turns.";
  }

  /// Writes a table of all methods.
  ///
  /// @param described whether each method's settings stand below its name
  private void writeTable(List<Column> columns, boolean described) {
    page.raw("<div class=\"results\"><table><thead><tr>").element("th", "method");
    columns.forEach(column -> page.element("th", column.head));
    page.raw("</tr></thead><tbody>\n");
    for (Summary.Row row : summary.rows()) {
      page.raw("<tr><td>").text(row.method().name()).raw(" ");
      if (described) {
        writeSettings(row.method());
      }
      page.raw("</td>");
      for (Column column : columns) {
        Cell cell = column.cell.apply(row);
        page.raw(cell.isBest ? "<td class=\"best\">" : "<td>").text(cell.figure);
        if (!cell.spread.isEmpty()) {
          page.raw(" ").element("small", cell.spread);
        }
        if (!cell.below.isEmpty()) {
          page.element("div", cell.below);
        }
        page.raw("</td>");
      }
      page.raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
  }

  private void writeSettings(Recipe.Method method) {
    boolean alike = isAlike();
    if (!alike) {
      page.element("code", method.trainee().text()).raw(" ");
    }
    if (alike || method.dropout().drops()) {
      page.element("code", method.text());
    }
  }

  /// The task's metrics, the first beside the first method's, each with the paper's.
  private List<Column> metrics() {
    List<Column> columns = new ArrayList<>();
    for (Metric metric : summary.metrics()) {
      String name = metric.name();
      double best = best(metric);
      columns.add(
          new Column(
              name,
              row -> {
                Statistics figure = row.metrics().get(name);
                return Cell.of(figure, figure != null && figure.mean() == best)
                    .with(row.ensembleMetrics().get(name));
              }));
      if (summary.isReported(name)) {
        columns.add(reported(name));
      }
      if (metric.equals(summary.metrics().getFirst())) {
        columns.add(median(row -> row.metrics().get(name)));
        columns.addAll(contrast(row -> Objects.requireNonNull(row.metric())));
      }
    }
    summary.otherReported().forEach(name -> columns.add(reported(name)));
    return columns;
  }

  private double best(Metric metric) {
    DoubleStream means =
        summary.rows().stream()
            .flatMap(row -> Stream.ofNullable(row.metrics().get(metric.name())))
            .mapToDouble(Statistics::mean)
            .filter(mean -> !Double.isNaN(mean));
    return (metric.isBetterLow() ? means.min() : means.max()).orElse(Double.NaN);
  }

  private static Column reported(String name) {
    return new Column(
        "paper: " + name,
        row -> {
          Double figure = row.reported().get(name);
          return Cell.of(figure == null ? "" : Figures.of(figure));
        });
  }

  private static Column median(Function<Summary.Row, @Nullable Statistics> figure) {
    return new Column(
        "median",
        row -> {
          Statistics of = figure.apply(row);
          return Cell.of(of == null ? "" : Cell.number(of.median()));
        });
  }

  private List<Column> contrast(Function<Summary.Row, Summary.Contrast> of) {
    String baseline = summary.recipe().methods().getFirst().name();
    return List.of(
        new Column(
            "− " + baseline,
            row -> {
              String difference = Figures.sign("%+.3f".formatted(of.apply(row).difference()));
              return Cell.of(row.method().name().equals(baseline) ? "" : difference);
            }),
        new Column(
            "p",
            row -> {
              double p = of.apply(row).p();
              return new Cell(Double.isNaN(p) ? "" : "%.3f".formatted(p), "", "", p < SIGNIFICANT);
            }));
  }

  private static Column parameters() {
    return new Column("trained numbers", row -> Cell.of(Figures.count(row.parameters())));
  }

  private List<Column> losses() {
    double best = summary.rows().stream().mapToDouble(r -> r.eval().mean()).min().orElse(0);
    List<Column> columns = new ArrayList<>();
    columns.add(
        new Column(
            "held-out loss",
            row -> Cell.of(row.eval(), row.eval().mean() == best).with(row.ensemble())));
    columns.add(median(Summary.Row::eval));
    columns.addAll(contrast(Summary.Row::loss));
    columns.add(new Column("lowest on the way", row -> Cell.of(row.best(), false)));
    if (summary.rows().getFirst().gap() != null) {
      columns.add(new Column("overfitting gap", row -> Cell.of(row.gap(), false)));
    }
    if (isCalibrated()) {
      columns.add(new Column("calibration error", row -> Cell.of(row.calibrationError(), false)));
    }
    return columns;
  }

  private boolean isCalibrated() {
    return summary.rows().stream().allMatch(row -> row.calibrationError() != null);
  }

  private static List<Column> costs() {
    return List.of(
        new Column("step time", row -> Cell.of("%.2f ×".formatted(row.time()))),
        new Column("step memory", row -> Cell.of("%.2f ×".formatted(row.memory()))));
  }

  /// Returns whether all methods train the same.
  private boolean isAlike() {
    return summary.recipe().methods().stream().map(Recipe.Method::trainee).distinct().count() == 1;
  }

  private void writeCharts() {
    page.raw("<section><h2>Learning curves</h2>\n");
    String unit = summary.recipe().hasHead() ? "" : ", nats per token";
    chart("Held-out loss", "mean over the seeds" + unit, Size.LARGE, this::heldOut);
    if (summary.rows().stream().anyMatch(row -> metric(row).size() > 1)) {
      String name = summary.metrics().getFirst().name();
      chart("Held-out " + name, "mean over the seeds", Size.LARGE, this::metric);
    }
    page.raw("<div class=\"charts of2\">\n");
    chart("Training loss", "with dropout, smoothed, mean over the seeds", Size.SMALL, this::train);
    if (isCalibrated()) {
      writeReliability();
    }
    page.raw("</div></section>\n");
  }

  private void writeReliability() {
    List<Series> reliability = new ArrayList<>();
    reliability.add(
        new Series("as sure as right", Look.FAINT, List.of(new Point(0, 0), new Point(100, 100))));
    for (int i = 0; i < summary.rows().size(); i++) {
      Summary.Row row = summary.rows().get(i);
      reliability.add(new Series(row.method().name(), Look.ofLine(i), reliability(row)));
    }
    new LineChart(
            "Reliability",
            "share of predictions that are right, %, by confidence",
            Size.SMALL,
            true,
            reliability,
            List.of(),
            "% sure")
        .writeTo(page);
  }

  private interface Curve {
    List<Point> of(Summary.Row row);
  }

  private void chart(String title, String note, Size size, Curve curve) {
    List<Series> series = new ArrayList<>();
    for (int i = 0; i < summary.rows().size(); i++) {
      Summary.Row row = summary.rows().get(i);
      series.add(new Series(row.method().name(), Look.ofLine(i), curve.of(row)));
    }
    new LineChart(title, note, size, false, series, List.of(), "step").writeTo(page);
  }

  private List<Point> heldOut(Summary.Row row) {
    return onTheWay(row, RunRecord.Point::loss);
  }

  private List<Point> metric(Summary.Row row) {
    return onTheWay(row, RunRecord.Point::metric);
  }

  private static List<Point> onTheWay(
      Summary.Row row, Function<RunRecord.Point, @Nullable Double> of) {
    Map<Integer, List<Double>> bySteps = new TreeMap<>();
    for (RunRecord run : row.runs()) {
      for (RunRecord.Point point : run.evaluations()) {
        Double value = of.apply(point);
        if (value != null) {
          bySteps.computeIfAbsent(point.step(), s -> new ArrayList<>()).add(value);
        }
      }
    }
    List<Point> points = new ArrayList<>();
    bySteps.forEach((step, values) -> points.add(new Point(step, mean(values, value -> value))));
    return points;
  }

  private List<Point> train(Summary.Row row) {
    List<Point> points = new ArrayList<>();
    int steps = row.runs().stream().mapToInt(run -> run.losses().size()).min().orElse(0);
    for (int i = 0; i < steps; i++) {
      int step = i;
      points.add(new Point(i + 1, mean(row.runs(), run -> run.losses().get(step))));
    }
    return new Series(row.method().name(), Look.MAIN, points)
        .smoothed(row.method().name(), Math.clamp(steps / 20, 1, 200))
        .points();
  }

  private static <T> double mean(List<T> all, ToDoubleFunction<T> value) {
    return all.stream().mapToDouble(value).average().orElse(Double.NaN);
  }

  /// The bins of all seeds together.
  private static List<Point> reliability(Summary.Row row) {
    List<Point> points = new ArrayList<>();
    List<Calibration> all =
        row.runs().stream().map(run -> Objects.requireNonNull(run.calibration())).toList();
    for (int b = 0; b < all.getFirst().bins().size(); b++) {
      double count = 0;
      double confidence = 0;
      double right = 0;
      for (Calibration calibration : all) {
        Calibration.Bin bin = calibration.bins().get(b);
        if (bin.count() > 0) {
          count += bin.count();
          confidence += bin.count() * bin.confidence();
          right += bin.count() * bin.accuracy();
        }
      }
      if (count > 0) {
        points.add(new Point(100 * confidence / count, 100 * right / count));
      }
    }
    return points;
  }

  private static String rows(int count) {
    return count == 0 ? "all" : Figures.count(count);
  }

  private static String rates(Recipe recipe) {
    return recipe.methods().stream()
        .map(method -> Figures.of(method.learningRate()))
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private Map<String, String> course() {
    Recipe recipe = summary.recipe();
    Recipe.Course course = recipe.course();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("model", recipe.model() == null ? "the demo model" : recipe.model().toString());
    if (recipe.task() != null) {
      facts.put(
          "task",
          Objects.equals(recipe.task(), recipe.heldOutTask())
              ? recipe.task()
              : recipe.task() + ", measured on " + recipe.heldOutTask());
    }
    facts.put("training rows", rows(recipe.trainRows()));
    facts.put("held-out rows", rows(recipe.heldOutRows()));
    facts.put("tokens of a row, at most", Figures.count(recipe.maxLength()));
    Recipe.Length length = course.length();
    facts.put(length.inEpochs() ? "epochs" : "steps", Figures.count(length.count()));
    facts.put("rows of a step", Figures.count((long) course.batch() * course.accumulate()));
    facts.put("learning rate", rates(recipe));
    if (isAlike()) {
      facts.put("trains", recipe.methods().getFirst().trainee().text());
    }
    return facts;
  }
}
