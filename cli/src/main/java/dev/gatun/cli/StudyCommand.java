package dev.gatun.cli;

import dev.gatun.cli.report.StudyPage;
import dev.gatun.cli.study.Journal;
import dev.gatun.cli.study.Recipe;
import dev.gatun.cli.study.RunRecord;
import dev.gatun.cli.study.Study;
import dev.gatun.cli.study.Summary;
import dev.gatun.cli.study.Trainee;
import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.PlainChatFormat;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Files;
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
  private @Nullable Path recipe;

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
    Path file = recipe == null ? Project.demoStudy() : recipe;
    Recipe read = Recipe.read(file);
    if (read.model() != null && !model.isDemo()) {
      throw new RefusedException(
          "--model: found beside a recipe that names "
              + read.model()
              + ", expected one of the two");
    }
    refuseWhatStudiesCannotDo(file, read);
    Path path = read.model() == null ? model.path() : read.model();
    int threads = model.applyThreads();
    ModelDirectory directory = ModelDirectory.read(path);
    String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
    Path target = out == null ? Path.of("runs", "study-" + name) : out;
    try (HfTokenizer tokenizer = ModelArguments.tokenizer(path);
        CausalLm lm =
            directory.open(model.device(), model.computeType(), ModelDirectory.Use.FROZEN)) {
      ModelArguments.checkVocabulary(lm, tokenizer, path);
      if (read.maxLength() > lm.maxPositions()) {
        throw new MalformedFileException(
            file, "max-length", Integer.toString(read.maxLength()), "at most " + lm.maxPositions());
      }
      Dataset train = rows(read.train(), read.trainRows(), read.maxLength(), lm, tokenizer);
      Dataset heldOut = rows(read.heldOut(), read.heldOutRows(), read.maxLength(), lm, tokenizer);
      Study study = new Study(read, directory, lm, train, heldOut, new Watcher());
      study.check();
      Journal journal = Journal.open(target, Files.readString(file));
      progress.say(
          "%s: %d methods x %d seeds, %d training rows, %d held-out rows, in %s"
              .formatted(
                  read.name(),
                  read.methods().size(),
                  read.seeds().size(),
                  train.size(),
                  heldOut.size(),
                  target));
      List<RunRecord> records =
          study.run(journal, together == null ? read.methods().size() : together);
      Summary summary = Summary.of(read, records, journal);
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

  private void refuseWhatStudiesCannotDo(Path file, Recipe recipe) throws IOException {
    if (recipe.task() != null) {
      throw new MalformedFileException(
          file, "task", recipe.task(), "none: studies train language models, not tasks, yet");
    }
    for (Recipe.Method method : recipe.methods()) {
      boolean all = method.trainee() instanceof Trainee.AllWeights;
      if (all && model.compute() != ModelArguments.Compute.F32) {
        throw new RefusedException(
            "--dtype: found bf16, expected f32: %s trains all weights".formatted(method.name()));
      }
    }
  }

  private static Dataset rows(
      Path source, int count, int maxLength, CausalLm lm, @Nullable Tokenizer tokenizer)
      throws IOException {
    Dataset all =
        DataReader.read(
            source, new DataOptions(tokenizer, new PlainChatFormat(), maxLength, lm.vocabulary()));
    if (count > all.size()) {
      throw new MalformedFileException(
          source, "rows", Integer.toString(all.size()), "at least the " + count + " of the recipe");
    }
    return count == 0 ? all : new Dataset(all.examples().subList(0, count), 0, 0);
  }

  private static Map<String, Object> fields(Summary summary, Path target) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", summary.recipe().name());
    fields.put("seeds", summary.recipe().seeds().size());
    fields.put("side_by_side_speedup", summary.speedup());
    List<Map<String, Object>> methods = new ArrayList<>();
    for (Summary.Row row : summary.rows()) {
      Map<String, Object> method = new LinkedHashMap<>();
      method.put("name", row.method().name());
      method.put("trains", row.method().trainee().text());
      method.put("parameters", row.parameters());
      method.put("dropout", row.method().text());
      method.put("eval_loss", row.eval());
      method.put("best_eval_loss", row.best());
      method.put("gap", row.gap());
      method.put("calibration_error", row.calibrationError());
      method.put("ensemble_loss", row.ensemble());
      method.put("difference", row.difference());
      method.put("p", Double.isNaN(row.p()) ? null : row.p());
      method.put("step_time", row.time());
      method.put("step_memory", row.memory());
      methods.add(method);
    }
    fields.put("methods", methods);
    fields.put("report", target.resolve("report.html").toString());
    return fields;
  }

  private static List<String> table(Summary summary) {
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
              "%.4f ± %.4f".formatted(row.eval().mean(), row.eval().deviation()),
              "%.4f ± %.4f".formatted(row.best().mean(), row.best().deviation()),
              "%.4f ± %.4f".formatted(row.gap().mean(), row.gap().deviation()),
              row.ensemble() == null ? "" : "%.4f".formatted(row.ensemble().mean()),
              "%+.4f".formatted(row.difference()),
              Double.isNaN(row.p()) ? "" : "%.3f".formatted(row.p()),
              "%.2f".formatted(row.time()),
              "%.2f".formatted(row.memory())));
    }
    return lines;
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
