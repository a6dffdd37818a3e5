package dev.gatun.cli;

import dev.gatun.cli.report.HtmlReport;
import dev.gatun.cli.report.RunReport;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.TrainResult.Evaluated;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.NativeMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Turns a run into its report page.
final class ReportPage {
  private ReportPage() {}

  static void write(
      Path file,
      Path model,
      Plan plan,
      Map<String, String> settings,
      RunLog log,
      FinetuneCommand.Outcome outcome)
      throws IOException {
    List<RunReport.EvalPoint> evals = new ArrayList<>();
    Measured before = outcome.before();
    Measured after = outcome.after();
    if (before != null) {
      evals.add(point(0, before.evaluation().loss()));
    }
    for (Evaluated evaluated : outcome.result().evaluations()) {
      evals.add(point(evaluated.step(), evaluated.loss()));
    }
    if (after != null && evals.stream().noneMatch(e -> e.step() == outcome.result().steps())) {
      evals.add(point(outcome.result().steps(), after.evaluation().loss()));
    }
    List<RunReport.TrainPoint> train = points(log, plan);
    HtmlReport.write(
        file,
        new RunReport(
            (plan.course().isFull() ? "Full training of " : "LoRA on ") + model.getFileName(),
            new RunReport.Model(model.toString(), plan.modelParameters(), plan.trainedParameters()),
            adapter(plan),
            settings,
            train,
            evals,
            shown(before),
            shown(after),
            outcome.samples().stream()
                .map(s -> new RunReport.Sample(s.prompt(), s.before(), s.after()))
                .toList(),
            environment(plan.threads()),
            new RunReport.Timing(
                outcome.seconds(),
                log.tokens(),
                outcome.result().tokensPerSecond(),
                NativeMemory.peakBytes(),
                ProcessMemory.peakResidentBytes()),
            new RunReport.Data(
                plan.sets().train().size(),
                plan.sets().train().tokens(),
                plan.sets().heldOut() == null ? 0 : plan.sets().heldOut().size(),
                plan.sets().heldOut() == null ? 0 : plan.sets().heldOut().tokens(),
                plan.sets().train().truncated()),
            List.of()));
  }

  /// Returns what a run runs on.
  static RunReport.Environment environment(int threads) {
    return new RunReport.Environment(
        Version.CURRENT,
        Backend.version() + ", " + Backend.source(),
        Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
        Backend.processor(),
        threads,
        System.getProperty("os.name") + " " + System.getProperty("os.arch"));
  }

  private static RunReport.EvalPoint point(int step, double loss) {
    return new RunReport.EvalPoint(step, loss, Math.exp(loss));
  }

  private static RunReport.@Nullable Evaluation shown(@Nullable Measured measured) {
    if (measured == null) {
      return null;
    }
    Map<String, Double> metrics = measured.metrics();
    return new RunReport.Evaluation(
        measured.evaluation().loss(),
        measured.evaluation().perplexity(),
        metrics == null ? Map.of() : metrics);
  }

  private static List<RunReport.TrainPoint> points(RunLog log, Plan plan) throws IOException {
    List<RunReport.TrainPoint> points = new ArrayList<>();
    boolean divergence = plan.options().dropout().twoBranches();
    for (Map<String, Object> line : log.read()) {
      if (line.containsKey("train_loss")) {
        points.add(
            new RunReport.TrainPoint(
                (int) number(line, "step"),
                number(line, "epoch") + 1,
                number(line, "train_loss"),
                divergence ? number(line, "kl_loss") : null,
                number(line, "learning_rate"),
                number(line, "grad_norm"),
                number(line, "tokens") / number(line, "seconds"),
                (long) number(line, "native_bytes")));
      }
    }
    return points;
  }

  private static double number(Map<String, Object> line, String key) {
    return line.get(key) instanceof Number value ? value.doubleValue() : Double.NaN;
  }

  private static Map<String, String> adapter(Plan plan) {
    Map<String, String> settings = new LinkedHashMap<>();
    if (plan.trained() instanceof LoraAdapter lora) {
      LoraConfig config = lora.match().config();
      settings.put("method", plan.course().method().text());
      settings.put("rank", Integer.toString(config.r()));
      settings.put("alpha", Double.toString(config.alpha()));
      settings.put("layers", Integer.toString(lora.match().targets().size()));
      settings.put("targets", targets(config.selection().target()));
      settings.put("rsLoRA", Boolean.toString(config.rsLora()));
      settings.put("bias", config.bias().toString().toLowerCase(Locale.ROOT));
      settings.put("dropout", DropoutText.of(plan.options().dropout()));
    }
    return settings;
  }

  private static String targets(TargetModules modules) {
    return switch (modules) {
      case TargetModules.Names names -> String.join(", ", names.names());
      case TargetModules.Regex regex -> regex.pattern();
      case TargetModules.AllLinear _ -> "all-linear";
      case TargetModules.ModelDefault _ -> "the architecture's default";
    };
  }
}
