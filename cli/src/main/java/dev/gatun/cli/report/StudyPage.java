package dev.gatun.cli.report;

import dev.gatun.cli.report.LineChart.Size;
import dev.gatun.cli.report.Series.Look;
import dev.gatun.cli.report.Series.Point;
import dev.gatun.cli.study.Recipe;
import dev.gatun.cli.study.RunRecord;
import dev.gatun.cli.study.Statistics;
import dev.gatun.cli.study.Summary;
import dev.gatun.models.metrics.Calibration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

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

  private void writeResults() {
    String baseline = summary.recipe().methods().getFirst().name();
    Set<String> reported = new LinkedHashSet<>();
    summary.rows().forEach(row -> reported.addAll(row.method().reported().keySet()));
    page.raw("<section class=\"results\"><table><thead><tr>");
    List<String> heads =
        new ArrayList<>(
            List.of(
                "method",
                "trained numbers",
                "held-out loss",
                "median",
                "− " + baseline,
                "p",
                "lowest on the way",
                "overfitting gap",
                "calibration error",
                "ensemble",
                "step time",
                "step memory"));
    reported.forEach(name -> heads.add("paper: " + name));
    heads.forEach(head -> page.element("th", head));
    page.raw("</tr></thead><tbody>\n");
    double best = summary.rows().stream().mapToDouble(r -> r.eval().mean()).min().orElse(0);
    for (Summary.Row row : summary.rows()) {
      boolean first = row.method().name().equals(baseline);
      page.raw("<tr><td>").text(row.method().name()).raw(" ");
      boolean alike = isAlike();
      if (!alike) {
        page.element("code", row.method().trainee().text()).raw(" ");
      }
      if (alike || row.method().dropout().drops()) {
        page.element("code", row.method().text());
      }
      page.raw("</td>");
      page.element("td", Figures.count(row.parameters()));
      cell(row.eval(), row.eval().mean() == best);
      page.element("td", "%.3f".formatted(row.eval().median()));
      page.element("td", first ? "" : "%+.3f".formatted(row.difference()));
      String p = Double.isNaN(row.p()) ? "" : "%.3f".formatted(row.p());
      page.element(row.p() < SIGNIFICANT ? "td class=\"best\"" : "td", first ? "" : p);
      cell(row.best(), false);
      cell(row.gap(), false);
      cell(row.calibrationError(), false);
      Statistics ensemble = row.ensemble();
      if (ensemble == null) {
        page.element("td", "");
      } else {
        cell(ensemble, false);
      }
      page.element("td", "%.2f ×".formatted(row.time()));
      page.element("td", "%.2f ×".formatted(row.memory()));
      for (String name : reported) {
        Double figure = row.method().reported().get(name);
        page.element("td", figure == null ? "" : Figures.of(figure));
      }
      page.raw("</tr>\n");
    }
    page.raw("</tbody></table></section>\n");
    page.element(
        "p class=\"note\"",
        "Losses in nats per predicted token, mean and standard deviation over the seeds; p of"
            + " Wilcoxon's signed-rank test, paired by seed, two-sided, bold below 0.05, not"
            + " corrected for several comparisons. Gap: held-out loss minus loss on the training"
            + " rows at the end. Calibration error: of the likeliest token, 10 bins. Step time and"
            + " memory over the first method's, measured by turns.");
  }

  /// Returns whether all methods train the same.
  private boolean isAlike() {
    return summary.recipe().methods().stream().map(Recipe.Method::trainee).distinct().count() == 1;
  }

  private void cell(Statistics figure, boolean best) {
    page.raw(best ? "<td class=\"best\">" : "<td>").text("%.3f".formatted(figure.mean()));
    if (!Double.isNaN(figure.deviation())) {
      page.raw(" ").element("small", "± %.3f".formatted(figure.deviation()));
    }
    page.raw("</td>");
  }

  private void writeCharts() {
    page.raw("<section><h2>Learning curves</h2>\n");
    chart("Held-out loss", "mean over the seeds, nats per token", Size.LARGE, this::heldOut);
    page.raw("<div class=\"charts of2\">\n");
    chart("Training loss", "with dropout, smoothed, mean over the seeds", Size.SMALL, this::train);
    List<Series> reliability = new ArrayList<>();
    reliability.add(
        new Series("as sure as right", Look.FAINT, List.of(new Point(0, 0), new Point(100, 100))));
    for (int i = 0; i < summary.rows().size(); i++) {
      Summary.Row row = summary.rows().get(i);
      reliability.add(new Series(row.method().name(), Look.ofLine(i), reliability(row)));
    }
    new LineChart(
            "Reliability",
            "share of likeliest tokens that are right, % of those of that confidence",
            Size.SMALL,
            true,
            reliability,
            List.of(),
            "confidence %")
        .writeTo(page);
    page.raw("</div></section>\n");
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
    Map<Integer, List<Double>> bySteps = new TreeMap<>();
    for (RunRecord run : row.runs()) {
      for (RunRecord.Point point : run.evaluations()) {
        bySteps.computeIfAbsent(point.step(), s -> new ArrayList<>()).add(point.loss());
      }
    }
    List<Point> points = new ArrayList<>();
    bySteps.forEach((step, losses) -> points.add(new Point(step, mean(losses, loss -> loss))));
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
    int bins = row.runs().getFirst().calibration().bins().size();
    for (int b = 0; b < bins; b++) {
      double count = 0;
      double confidence = 0;
      double right = 0;
      for (RunRecord run : row.runs()) {
        Calibration.Bin bin = run.calibration().bins().get(b);
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
    facts.put("training rows", Figures.count(recipe.trainRows()));
    facts.put("held-out rows", Figures.count(recipe.heldOutRows()));
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
