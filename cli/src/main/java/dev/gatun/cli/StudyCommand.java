package dev.gatun.cli;

import dev.gatun.cli.report.StudyPage;
import dev.gatun.cli.study.Bases;
import dev.gatun.cli.study.Journal;
import dev.gatun.cli.study.Metric;
import dev.gatun.cli.study.Recipe;
import dev.gatun.cli.study.Rows;
import dev.gatun.cli.study.RunRecord;
import dev.gatun.cli.study.Statistics;
import dev.gatun.cli.study.Study;
import dev.gatun.cli.study.StudyData;
import dev.gatun.cli.study.Summary;
import dev.gatun.cli.study.Trainee;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.NamedTasks;
import dev.gatun.models.zoo.Architectures;
import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gatun study`.
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Compares methods over seeds, dropouts and what is trained: trains each with each, several"
          + " side by side in one pass where they can, and writes a table, curves and a significance"
          + " test. A study that was stopped goes on when it is started again."
    })
final class StudyCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RECIPE",
      description = "YAML file. Default: the study of the demo model.")
  private @Nullable Path source;

  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private JsonOutput json = new JsonOutput();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Results. Default: runs/study-NAME, NAME that of the recipe's file.")
  private @Nullable Path out;

  @Option(
      names = "--side-by-side",
      paramLabel = "N",
      description = "Runs that share a pass over the model. Default: as many as methods.")
  private @Nullable Integer together;

  private final Progress progress = new Progress();

  @Override
  public Integer call() throws IOException {
    if (together != null && together < 1) {
      throw new RefusedException("--side-by-side: found " + together + ", expected at least 1");
    }
    Path file = source == null ? Project.demoStudy() : source;
    Recipe read = Recipe.read(file);
    if (read.model() != null && !model.isDemo()) {
      throw new RefusedException(
          "--model: found beside a recipe that names "
              + read.model()
              + ", expected one of the two");
    }
    refuseHalfPrecision(read);
    Path path = read.model() == null ? model.path() : read.model();
    refuseMissing(path, read);
    ModelDirectory directory = ModelDirectory.read(path);
    NamedTask task = task(file, read, directory);
    Recipe recipe = Architectures.of(directory.config()).causal() ? read : read.ofEncoder();
    int threads = model.applyThreads();
    String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
    Path target = out == null ? Path.of("runs", "study-" + name) : out;
    try (HfTokenizer tokenizer = ModelArguments.tokenizer(path);
        Bases bases =
            new Bases((use, seed) ->
                TaskArgument.open(
                    directory, task, model.device(), model.computeType(), use, seed))) {
      Transformer lm = bases.of(0);
      ModelArguments.checkVocabulary(lm, tokenizer, path);
      if (recipe.maxLength() > lm.maxPositions()) {
        throw new MalformedFileException(
            file,
            "max-length",
            Integer.toString(recipe.maxLength()),
            "at most " + lm.maxPositions());
      }
      StudyData data = new StudyData(recipe, directory, lm, tokenizer);
      Rows rows = task == null ? data.ofTexts() : data.of(task);
      Study study = new Study(recipe, directory, bases, rows, new Watcher());
      study.check();
      Journal journal = Journal.open(target, Files.readString(file));
      progress.say(
          "%s: %d methods x %d seeds, %d training rows, %d held-out rows, in %s"
              .formatted(
                  recipe.name(),
                  recipe.methods().size(),
                  recipe.seeds().size(),
                  rows.train().size(),
                  rows.heldOut().size(),
                  target));
      List<RunRecord> records =
          study.run(journal, together == null ? recipe.methods().size() : together);
      Summary summary = Summary.of(recipe, records, journal);
      AtomicFile.write(target.resolve("results.csv"), summary.csv());
      AtomicFile.write(
          target.resolve("report.html"), StudyPage.of(summary, ReportPage.environment(threads)));
      Map<String, Object> fields = fields(summary, target);
      AtomicFile.write(target.resolve("results.json"), JsonOutput.text(fields) + "\n");
      table(summary).forEach(System.out::println);
      progress.say("written: " + target.resolve("report.html") + ", results.csv, results.json");
      json.print(fields);
      return 0;
    }
  }

  private void refuseHalfPrecision(Recipe recipe) {
    for (Recipe.Method method : recipe.methods()) {
      boolean all = method.trainee() instanceof Trainee.AllWeights;
      if (all && model.compute() != ModelArguments.Compute.F32) {
        throw new RefusedException(
            "--dtype: found bf16, expected f32: %s trains all weights".formatted(method.name()));
      }
    }
  }

  private static void refuseMissing(Path model, Recipe recipe) throws IOException {
    if (!Files.isDirectory(model)) {
      throw new NoSuchFileException(model.toString(), null, "no such model directory");
    }
    List<Path> data = new ArrayList<>(List.of(recipe.train(), recipe.heldOut()));
    if (recipe.shots() != null) {
      data.add(recipe.shots());
    }
    for (Path each : data) {
      if (!Files.exists(each)) {
        throw new NoSuchFileException(each.toString(), null, "no such data file or folder");
      }
    }
  }

  /// Returns the task that is trained, checked against the model's head; null for a language model.
  private static @Nullable NamedTask task(Path file, Recipe recipe, ModelDirectory directory)
      throws IOException {
    if (recipe.task() == null) {
      return null;
    }
    NamedTask task = NamedTasks.of(recipe.task()).orElseThrow();
    TaskArgument.fit(file + ": task " + task.name(), task, directory);
    if (!Files.exists(directory.path().resolve("tokenizer.json"))) {
      throw new MalformedFileException(
          directory.path(), "task " + task.name(), "no tokenizer.json", "one");
    }
    return task;
  }

  private static Map<String, Object> fields(Summary summary, Path target) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", summary.recipe().name());
    fields.put("seeds", summary.recipe().seeds().size());
    if (summary.recipe().task() != null) {
      fields.put("task", summary.recipe().heldOutTask());
      fields.put("metric", summary.recipe().metric());
    }
    fields.put("side_by_side_speedup", summary.speedup());
    List<Map<String, Object>> methods = new ArrayList<>();
    for (Summary.Row row : summary.rows()) {
      Map<String, Object> method = new LinkedHashMap<>();
      method.put("name", row.method().name());
      method.put("trains", row.method().trainee().text());
      method.put("parameters", row.parameters());
      method.put("dropout", row.method().text());
      Summary.Contrast metric = row.metric();
      if (metric != null) {
        method.put("metrics", row.metrics());
        method.put("metric_difference", metric.difference());
        method.put("metric_p", number(metric.p()));
        method.put("ensemble_metrics", row.ensembleMetrics());
      }
      method.put("eval_loss", row.eval());
      method.put("best_eval_loss", row.best());
      method.put("gap", row.gap());
      method.put("calibration_error", row.calibrationError());
      method.put("ensemble_loss", row.ensemble());
      method.put("difference", row.loss().difference());
      method.put("p", number(row.loss().p()));
      method.put("step_time", row.time());
      method.put("step_memory", row.memory());
      method.put("reported", row.reported());
      methods.add(method);
    }
    fields.put("methods", methods);
    fields.put("report", target.resolve("report.html").toString());
    return fields;
  }

  private static @Nullable Double number(double value) {
    return Double.isNaN(value) ? null : value;
  }

  private static List<String> table(Summary summary) {
    return summary.metrics().isEmpty() ? tableOfLosses(summary) : tableOfTask(summary);
  }

  private static List<String> tableOfLosses(Summary summary) {
    List<String> lines = new ArrayList<>();
    String form = "%-18s %18s %18s %18s %9s %9s %7s %7s %7s";
    lines.add(
        form.formatted(
            "method",
            "held-out loss",
            "lowest",
            "gap",
            "ensemble",
            "- first",
            "p",
            "time",
            "memory"));
    for (Summary.Row row : summary.rows()) {
      lines.add(
          form.formatted(
              row.method().name(),
              spread(row.eval()),
              spread(row.best()),
              spread(row.gap()),
              row.ensemble() == null ? "" : "%.4f".formatted(row.ensemble().mean()),
              "%+.4f".formatted(row.loss().difference()),
              p(row.loss()),
              "%.2f".formatted(row.time()),
              "%.2f".formatted(row.memory())));
    }
    return lines;
  }

  private static List<String> tableOfTask(Summary summary) {
    Metric metric = summary.metrics().getFirst();
    List<String> lines = new ArrayList<>();
    String form = "%-24s %20s %8s %9s %7s %9s %18s %7s %7s %7s";
    lines.add(
        form.formatted(
            "method",
            metric.name(),
            "paper",
            "- first",
            "p",
            "ensemble",
            "held-out loss",
            "p",
            "time",
            "memory"));
    for (Summary.Row row : summary.rows()) {
      Double reported = row.reported().get(metric.name());
      Statistics ensemble = row.ensembleMetrics().get(metric.name());
      Summary.Contrast contrast = row.metric();
      lines.add(
          form.formatted(
              row.method().name(),
              spread(row.metrics().get(metric.name())),
              reported == null ? "" : "%.4f".formatted(reported),
              contrast == null ? "" : "%+.4f".formatted(contrast.difference()),
              contrast == null ? "" : p(contrast),
              ensemble == null ? "" : "%.4f".formatted(ensemble.mean()),
              spread(row.eval()),
              p(row.loss()),
              "%.2f".formatted(row.time()),
              "%.2f".formatted(row.memory())));
    }
    return lines;
  }

  private static String spread(@Nullable Statistics figure) {
    return figure == null ? "" : "%.4f ± %.4f".formatted(figure.mean(), figure.deviation());
  }

  private static String p(Summary.Contrast contrast) {
    return Double.isNaN(contrast.p()) ? "" : "%.3f".formatted(contrast.p());
  }

  private final class Watcher implements Study.Listener {
    @Override
    public void progress(String label, long done, long total, String details) {
      progress.show(label, done, total, details);
    }

    @Override
    public void say(String line) {
      progress.say(line);
    }
  }
}
