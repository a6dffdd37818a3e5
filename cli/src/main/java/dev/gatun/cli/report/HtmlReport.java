package dev.gatun.cli.report;

import dev.gatun.cli.report.RunReport.Data;
import dev.gatun.cli.report.RunReport.Environment;
import dev.gatun.cli.report.RunReport.Evaluation;
import dev.gatun.cli.report.RunReport.Model;
import dev.gatun.cli.report.RunReport.Sample;
import dev.gatun.cli.report.RunReport.Timing;
import dev.gatun.cli.report.RunReport.TrainPoint;
import dev.gatun.runtime.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes a [RunReport] as one HTML page that needs no network, no script and no other file. The
/// same report gives the same bytes. Stateless and thread-safe.
///
/// Curves are thinned to what a screen can show: of the steps that share a column, the first,
/// lowest, highest, last and first non-finite one stay. So a spike is never lost, and a run of any
/// length makes a page of a few hundred kilobytes; only samples and settings add to that.
public final class HtmlReport {
  private static final double SAME = 5e-4; // relative change that rounds to 0.0 %

  private HtmlReport() {}

  /// Writes the page, in one step: after a crash the old or the new file is there, whole.
  ///
  /// @param file the file to create or replace; its folder must exist
  /// @param report what to show
  /// @throws IOException if the file cannot be written
  public static void write(Path file, RunReport report) throws IOException {
    AtomicFile.write(file, page(report));
  }

  /// The page as text.
  static String page(RunReport report) {
    Markup page = begun(report.title());
    writeHeader(page, report);
    new Curves(report).writeTo(page);
    writeSamples(page, report.samples());
    writeTables(page, report);
    page.raw("</main></body></html>\n");
    return page.toString();
  }

  /// A page up to the begin of its content.
  static Markup begun(String title) {
    Markup page = new Markup();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\"");
    page.raw(" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
    page.element("title", title);
    page.raw("<style>").raw(StyleSheet.CSS).raw("</style></head><body><main>\n");
    return page;
  }

  private static void writeHeader(Markup page, RunReport report) {
    page.raw("<header>").element("h1", report.title());
    Model model = report.model();
    String share = Figures.percent((double) model.trainedParameters(), (double) model.parameters());
    page.raw("<p class=\"model\">").element("b", model.name());
    page.text(
        " · "
            + Figures.count(model.parameters())
            + " parameters, "
            + Figures.count(model.trainedParameters())
            + " trained"
            + (share.isEmpty() ? "" : " (" + share + ")"));
    page.raw("</p>\n");
    writeVerdict(page, report);
    writeTiles(page, report);
    if (!report.warnings().isEmpty()) {
      page.raw("<ul class=\"warnings\">");
      report.warnings().forEach(warning -> page.element("li", warning));
      page.raw("</ul>");
    }
    page.raw("</header>\n");
  }

  private static void writeVerdict(Markup page, RunReport report) {
    Evaluation before = report.before();
    Evaluation after = report.after();
    String verdict = "p class=\"verdict none\"";
    String alone = ", with no other to compare it with.";
    if (before != null && after != null) {
      writeChange(page, before, after);
    } else if (before != null) {
      page.element(verdict, "Held-out " + figure(before) + " before training" + alone);
    } else if (after != null) {
      page.element(verdict, "Held-out " + figure(after) + " after training" + alone);
    } else {
      page.element(verdict, "Nothing was evaluated on held-out data, so there is no verdict.");
    }
  }

  private static void writeChange(Markup page, Evaluation before, Evaluation after) {
    boolean task = after.isOfTask();
    double from = task ? before.loss() : before.perplexity();
    double to = task ? after.loss() : after.perplexity();
    double change = to / from - 1;
    String kind = Math.abs(change) < SAME ? "same" : change < 0 ? "better" : "worse";
    page.raw("<div class=\"verdict ").raw(Double.isFinite(change) ? kind : "worse").raw("\">");
    String what = task ? "loss" : "perplexity";
    page.raw("<span class=\"label\">Held-out ").raw(what).raw("</span><p class=\"change\">");
    page.element("span class=\"from\"", Figures.of(from));
    page.raw("<span class=\"arrow\"> → </span>");
    page.element("strong", Figures.of(to));
    if (Double.isFinite(change)) {
      String sign = kind.equals("worse") ? "+" : "";
      String percent = kind.equals("same") ? "unchanged" : sign + Figures.percent(change, 1);
      page.raw(" ").element("em", percent);
    }
    page.raw("</p>");
    page.element(
        "span class=\"label\"",
        task
            ? metrics(before, after)
            : "nats per token: " + Figures.of(before.loss()) + " → " + Figures.of(after.loss()));
    page.raw("</div>\n");
  }

  private static String figure(Evaluation evaluation) {
    return evaluation.isOfTask()
        ? "loss " + Figures.of(evaluation.loss())
        : "perplexity " + Figures.of(evaluation.perplexity());
  }

  private static String metrics(Evaluation before, Evaluation after) {
    List<String> changes = new ArrayList<>();
    after
        .metrics()
        .forEach((name, value) -> {
          double from = before.metrics().getOrDefault(name, Double.NaN);
          changes.add(name + ": " + Figures.of(from) + " → " + Figures.of(value));
        });
    return String.join(", ", changes);
  }

  private static void writeTiles(Markup page, RunReport report) {
    Timing timing = report.timing();
    List<TrainPoint> train = report.train();
    page.raw("<dl class=\"tiles\">");
    tile(page, "steps", Figures.count(train.size()));
    if (!train.isEmpty()) {
      tile(page, "epochs", Figures.trimmed(train.getLast().epoch()));
    }
    tile(page, "time", Figures.duration(timing.seconds()));
    tile(page, "tokens trained", Figures.count(timing.tokens()));
    tile(page, "tokens/s", Figures.of(timing.tokensPerSecond()));
    tile(page, "peak native", Figures.bytes(timing.peakNativeBytes()));
    Long rss = timing.peakRssBytes();
    if (rss != null) {
      tile(page, "peak RSS", Figures.bytes(rss));
    }
    page.raw("</dl>\n");
  }

  private static void tile(Markup page, String name, String value) {
    page.raw("<div>")
        .element("dt", name)
        .element("dd", value.isEmpty() ? "–" : value)
        .raw("</div>");
  }

  private static void writeSamples(Markup page, List<Sample> samples) {
    if (samples.isEmpty()) {
      return;
    }
    page.raw("<section><h2>Samples</h2>\n");
    for (Sample sample : samples) {
      page.raw("<div class=\"sample\">");
      writeCompletion(page, "before", sample.prompt(), sample.before());
      writeCompletion(page, "after", sample.prompt(), sample.after());
      page.raw("</div>\n");
    }
    page.raw("</section>\n");
  }

  private static void writeCompletion(Markup page, String when, String prompt, String completion) {
    page.raw("<div class=\"").raw(when).raw("\">").element("h3", when);
    page.raw("<div class=\"code\">").element("span class=\"prompt\"", prompt);
    page.element("span", completion).raw("</div></div>");
  }

  private static void writeTables(Markup page, RunReport report) {
    page.raw("<div class=\"tables\">\n");
    writeTable(page, "Adapter", "", report.adapter());
    writeTable(page, "Data", "", facts(report.data()));
    writeTable(page, "Environment", "", facts(report.environment()));
    page.raw("</div>\n");
    writeTable(page, "Settings", "wide", report.settings());
  }

  private static Map<String, String> facts(Data data) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("rows", Figures.count(data.trainRows()));
    facts.put("tokens per epoch", Figures.count(data.trainTokens()));
    facts.put("held-out rows", Figures.count(data.evalRows()));
    facts.put("held-out tokens", Figures.count(data.evalTokens()));
    facts.put("rows cut to the length limit", Figures.count(data.truncatedRows()));
    return facts;
  }

  static Map<String, String> facts(Environment environment) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Gatun", environment.gatun());
    facts.put("libtorch", environment.libtorch());
    facts.put("JDK", environment.jdk());
    facts.put("CPU", environment.cpu());
    facts.put("threads", Integer.toString(environment.threads()));
    facts.put("system", environment.os());
    return facts;
  }

  static void writeTable(Markup page, String title, String look, Map<String, String> rows) {
    if (rows.isEmpty()) {
      return;
    }
    page.raw("<section class=\"table ").raw(look).raw("\">").element("h2", title).raw("<dl>\n");
    rows.forEach((name, value) ->
        page.raw("<div>").element("dt", name).element("dd", value).raw("</div>\n"));
    page.raw("</dl></section>\n");
  }
}
