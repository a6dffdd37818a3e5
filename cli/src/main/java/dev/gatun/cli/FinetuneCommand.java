package dev.gatun.cli;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.baseline.BitFit;
import dev.gatun.models.baseline.Bottlenecks;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Preview;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.TaskEncoding;
import dev.gatun.models.task.TaskSet;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.FullWeights;
import dev.gatun.models.train.StepReport;
import dev.gatun.models.train.TrainListener;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.TrainResult;
import dev.gatun.models.train.Trained;
import dev.gatun.models.train.Trainer;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `gatun finetune`.
@Command(
    name = "finetune",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Fine-tune a language model, or an encoder or decoder for a task, with LoRA and HiddenKey"
          + " dropout.",
      "Without --model and --data: the demo model, on Java code that it has not seen."
    })
final class FinetuneCommand implements Callable<Integer> {
  private static final int PREVIEW_ROWS = 3;
  private static final int PREVIEW_TOKENS = 24;
  private static final long STOP_SECONDS = 60;

  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private DataArguments dataArguments = new DataArguments();
  @Mixin private TaskArgument tasks = new TaskArgument();
  @Mixin private AskingArguments asking = new AskingArguments();
  @Mixin private LoraArguments lora = new LoraArguments();
  @Mixin private FinetuneArguments course = new FinetuneArguments();
  @Mixin private JsonOutput json = new JsonOutput();

  @Option(
      names = "--data",
      paramLabel = "F",
      description =
          "JSONL or Parquet rows, a text file or a folder of text files; with --task the task's file. Default"
              + " with the demo model: its data.")
  private @Nullable Path data;

  @Option(names = "--eval", paramLabel = "F", description = "Held-out data.")
  private @Nullable Path eval;

  @Option(
      names = "--eval-split",
      paramLabel = "SHARE",
      defaultValue = "0.05",
      description =
          "Share of --data to hold out where there is no --eval; 0 for none. Default: 0.05.")
  private double evalSplit;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Results. Default: runs/finetune-TIME.")
  private @Nullable Path out;

  @Option(names = "--resume", description = "Go on from the newest checkpoint in --out.")
  private boolean resume;

  @Option(names = "--dry-run", description = "Print the plan and a few rows; train nothing.")
  private boolean dryRun;

  @Option(
      names = "--portable",
      description = "Also write adapter-portable/, which every consumer scales right.")
  private boolean portable;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Map<String, String> inForce = new LinkedHashMap<>();
  private final Progress progress = new Progress();

  /// What is trained on and what is held out.
  ///
  /// @param measure the task's file that the held-out rows come from, or null without a task
  record Sets(Dataset train, @Nullable Dataset heldOut, @Nullable TaskSet measure) {}

  @Override
  public Integer call() throws IOException {
    course.check(lora.given());
    tasks.check();
    asking.check(tasks);
    lora.check(course.method());
    if (portable && course.method() != Method.LORA && course.method() != Method.DORA) {
      throw new RefusedException(
          "--portable: found " + course.method().given() + ", expected --method lora or dora");
    }
    if (!(evalSplit >= 0 && evalSplit < 1)) {
      throw new RefusedException("--eval-split: found " + evalSplit + ", expected 0 <= share < 1");
    }
    if (data == null && !model.isDemo()) {
      throw new RefusedException("--data: found nothing, expected a file or folder");
    }
    if (resume && out == null) {
      throw new RefusedException("--resume: found no --out, expected the directory of the run");
    }
    if (course.isFull() && model.compute() != ModelArguments.Compute.F32) {
      throw new RefusedException("--dtype: found bf16, expected f32 with --method full");
    }
    if (tasks.isOn() && data == null) {
      throw new RefusedException("--data: found nothing, expected a file of the task");
    }
    int threads = model.applyThreads();
    ModelDirectory directory = model.directory();
    NamedTask task = tasks.task(directory, data);
    try (HfTokenizer tokenizer = model.tokenizer();
        Transformer lm = open(directory, task);
        Scope owner = Scope.openShared(model.device())) {
      ModelArguments.checkVocabulary(lm, tokenizer, directory.path());
      Sets sets = task == null ? read(lm, tokenizer) : read(directory, task, lm, tokenizer);
      TrainOptions options =
          course.options(
              sets.train,
              dataArguments.maxLength(lm),
              lm.isCausal(),
              model.isDemo() && data == null);
      Trained trained = trained(owner, directory, lm, options.steps());
      inForce.put("--dropout", DropoutText.of(options.dropout()));
      inForce.put("--lr", Double.toString(options.schedule().peak()));
      inForce.put("--warmup", Integer.toString(options.schedule().warmup()));
      inForce.put("--steps", Integer.toString(options.steps()));
      inForce.put("--max-length", Integer.toString(dataArguments.maxLength(lm)));
      Plan plan =
          new Plan(lm, trained, options, sets, dataArguments.maxLength(lm), course, threads);
      plan.lines().forEach(progress::say);
      if (dryRun) {
        progress.say(Preview.of(sets.train, tokenizer, PREVIEW_ROWS, PREVIEW_TOKENS));
        json.print(plan.fields());
        return 0;
      }
      return train(directory, lm, tokenizer, sets, trained, options, plan);
    }
  }

  @MustBeClosed
  private Transformer open(ModelDirectory directory, @Nullable NamedTask task) throws IOException {
    if (course.isFresh()) {
      if (task != null && task.head() != null) {
        throw new RefusedException(
            "--fresh: found --task " + task.name() + ", expected a language model's data");
      }
      return directory.fresh(model.device(), model.computeType(), course.seed());
    }
    return TaskArgument.open(
        directory,
        task,
        model.device(),
        model.computeType(),
        course.isFull() ? ModelDirectory.Use.TRAINED : ModelDirectory.Use.FROZEN,
        course.seed());
  }

  private Sets read(
      ModelDirectory directory, NamedTask task, Transformer lm, @Nullable HfTokenizer tokenizer)
      throws IOException {
    TaskEncoding encoding = asking.encoding(directory, lm, tokenizer, dataArguments.maxLength(lm));
    TaskSet all = task.read(Objects.requireNonNull(data), encoding);
    if (eval != null) {
      TaskSet heldOut = task.read(eval, encoding);
      return new Sets(all.examples(), heldOut.examples(), heldOut);
    }
    return split(all.examples(), all);
  }

  private Sets split(Dataset all, @Nullable TaskSet measure) {
    if (evalSplit == 0 || all.size() < 2) {
      return new Sets(all, null, null);
    }
    Dataset.Split split = all.split(evalSplit, course.shuffles(), course.seed());
    return new Sets(split.train(), split.heldOut(), measure);
  }

  private Sets read(Transformer lm, @Nullable HfTokenizer tokenizer) throws IOException {
    Path source = data == null ? Project.demoTrain() : data;
    Path heldOut = eval == null && data == null ? Project.demoHeldOut() : eval;
    Dataset all = dataArguments.read(source, model.path(), lm, tokenizer);
    if (heldOut != null) {
      return new Sets(all, dataArguments.read(heldOut, model.path(), lm, tokenizer), null);
    }
    return split(all, null);
  }

  private Trained trained(Scope owner, ModelDirectory directory, Transformer lm, int steps)
      throws IOException {
    Method method = course.method();
    return switch (method) {
      case FULL -> new FullWeights(directory, lm);
      case BITFIT -> BitFit.create(owner, lm);
      case HOULSBY -> bottlenecks(owner, lm, Bottlenecks.Kind.HOULSBY);
      case PFEIFFER -> bottlenecks(owner, lm, Bottlenecks.Kind.PFEIFFER);
      case LORA, DORA, ADALORA -> adapter(owner, directory, lm, steps).with(lora.training());
    };
  }

  private Bottlenecks bottlenecks(Scope owner, Transformer lm, Bottlenecks.Kind kind) {
    return Bottlenecks.create(owner, lm, kind, course.bottleneck(), course.seed());
  }

  private LoraAdapter adapter(Scope owner, ModelDirectory directory, Transformer lm, int steps)
      throws IOException {
    Path start = course.initAdapter();
    if (start == null) {
      String base = directory.path().toString();
      double branch =
          course.dropout(lm.isCausal()).mask(Position.BRANCH).map(Mask::rate).orElse(0.0);
      return LoraAdapter.create(
          owner, lm, lora.config(base, course.method(), steps, branch), course.seed());
    }
    LoraAdapter adapter = LoraAdapter.load(owner, lm, start);
    lora.check(adapter, lm, course.method());
    if (lm instanceof TaskModel task && !task.fresh().isEmpty()) {
      boolean whole =
          task.headParams().stream().allMatch(p -> adapter.replaced().containsKey(p.index()));
      if (!whole) {
        throw new RefusedException(
            "--init-adapter: found no %s in %s, expected the head, which %s lacks, too"
                .formatted(task.fresh().getFirst(), start, directory.path()));
      }
    }
    return adapter;
  }

  private int train(
      ModelDirectory directory,
      Transformer lm,
      @Nullable HfTokenizer tokenizer,
      Sets sets,
      Trained trained,
      TrainOptions options,
      Plan plan)
      throws IOException {
    Path target = out == null ? defaultOut() : out;
    Files.createDirectories(target);
    RunLog log = new RunLog(target.resolve("metrics.jsonl"));
    Samples samples =
        lm instanceof CausalLm writer
            ? new Samples(writer, tokenizer, sets.heldOut == null ? sets.train : sets.heldOut)
            : null;
    Measured before = evaluate(lm, trained, sets, "before");
    if (samples != null) {
      samples.before(trained);
    }
    NativeMemory.resetPeak();

    long start = System.nanoTime();
    TrainResult result = runStoppable(lm, trained, options, sets, target, log);
    double seconds = (System.nanoTime() - start) / 1e9;
    if (result.end() == TrainResult.End.CANCELLED) {
      progress.say(
          "stopped after step %d; go on with the same options and --out %s --resume"
              .formatted(result.steps(), target));
      return 1;
    }
    Measured after = evaluate(lm, trained, sets, "after");
    if (samples != null) {
      samples.after(trained);
    }
    Path saved = target.resolve(course.isFull() ? "model" : "adapter");
    trained.save(saved);
    if (portable && trained instanceof LoraAdapter adapter) {
      adapter.savePortable(target.resolve("adapter-portable")).forEach(progress::say);
    }
    Outcome outcome =
        new Outcome(
            result, before, after, saved, seconds, samples == null ? List.of() : samples.pairs());
    ReportPage.write(
        target.resolve("report.html"), directory.path(), plan, settings(), log, outcome);
    outcome.lines(target).forEach(progress::say);
    Map<String, Object> fields = outcome.fields();
    if (model.device().isCuda()) {
      fields.put("peak_device_bytes", NativeMemory.peakBytes(model.device()));
    }
    json.print(fields);
    return 0;
  }

  /// Returns every option of this command with the value in force.
  private Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    for (OptionSpec option : spec.options()) {
      Object value = option.getValue();
      if (value != null && !option.usageHelp() && !option.versionHelp()) {
        settings.put(option.longestName(), shown(value));
      }
    }
    settings.putAll(inForce);
    return settings;
  }

  private static String shown(Object value) {
    return switch (value) {
      case Map<?, ?> map when map.isEmpty() -> "none";
      case Collection<?> list when list.isEmpty() -> "none";
      case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT);
      default -> value.toString();
    };
  }

  private static Path defaultOut() {
    String time =
        LocalDateTime.now(java.time.ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
    return Path.of("runs", "finetune-" + time);
  }

  private @Nullable Measured evaluate(Transformer lm, Trained trained, Sets sets, String when) {
    Dataset heldOut = sets.heldOut;
    if (heldOut == null) {
      return null;
    }
    Evaluation evaluation =
        Evaluation.of(
            lm,
            trained,
            heldOut,
            done -> progress.show("evaluating", done, heldOut.size(), "rows"));
    Measured measured = Measured.of(sets.measure, heldOut, evaluation, lm, trained);
    progress.say(when + ": " + measured.line());
    return measured;
  }

  /// Trains until the end, or until the process is asked to end: then the current step is finished,
  /// a checkpoint written, and only then does the process go.
  private TrainResult runStoppable(
      Transformer lm, Trained trained, TrainOptions options, Sets sets, Path target, RunLog log)
      throws IOException {
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(() -> {
          stop.set(true);
          try {
            if (!ended.await(STOP_SECONDS, TimeUnit.SECONDS)) {
              System.err.println("gatun: the step did not end in time; no checkpoint of it");
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      Trainer trainer = new Trainer(lm, trained, options, target.resolve("checkpoints"));
      TrainResult result =
          trainer.run(
              sets.train,
              sets.heldOut,
              resume,
              new Watcher(
                  log,
                  stop,
                  options,
                  evaluation ->
                      Measured.of(
                          sets.measure,
                          Objects.requireNonNull(sets.heldOut),
                          evaluation,
                          lm,
                          trained)));
      if (result.end() == TrainResult.End.CANCELLED) {
        progress.say("stopped after step " + result.steps() + "; --resume goes on from there");
      }
      return result;
    } finally {
      ended.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        progress.say("the process is ending");
      }
    }
  }

  /// Writes the log and the progress line.
  private final class Watcher implements TrainListener {
    private final RunLog log;
    private final AtomicBoolean stop;
    private final TrainOptions options;
    private final Function<Evaluation, Measured> measure;
    private double recent;
    private double secondsPerStep;

    Watcher(
        RunLog log,
        AtomicBoolean stop,
        TrainOptions options,
        Function<Evaluation, Measured> measure) {
      this.measure = measure;
      this.log = log;
      this.stop = stop;
      this.options = options;
    }

    @Override
    public boolean onStep(StepReport report) {
      log.step(report);
      recent = recent == 0 ? report.loss() : 0.9 * recent + 0.1 * report.loss();
      secondsPerStep =
          secondsPerStep == 0 ? report.seconds() : 0.8 * secondsPerStep + 0.2 * report.seconds();
      String kl = options.dropout().twoBranches() ? " kl %.4f".formatted(report.divergence()) : "";
      progress.show(
          "training",
          report.step(),
          report.steps(),
          "loss %.4f%s lr %.2e %,.0f tok/s ETA %s native %s"
              .formatted(
                  recent,
                  kl,
                  report.learningRate(),
                  report.tokens() / report.seconds(),
                  Progress.duration((report.steps() - report.step()) * secondsPerStep),
                  Progress.bytes(report.nativeBytes())));
      return !stop.get() && !Thread.currentThread().isInterrupted();
    }

    @Override
    public void onEvaluation(int step, Evaluation evaluation) {
      Measured measured = measure.apply(evaluation);
      log.evaluation(step, measured);
      progress.say("step " + step + ": " + measured.line());
    }
  }

  /// What a run came to.
  record Outcome(
      TrainResult result,
      @Nullable Measured before,
      @Nullable Measured after,
      Path saved,
      double seconds,
      List<Samples.Pair> samples) {
    Map<String, Object> fields() {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("steps", result.steps());
      fields.put("end", result.end().name().toLowerCase(Locale.ROOT));
      fields.put("train_loss", result.losses());
      fields.put("kl_loss", result.divergences());
      fields.put("eval_loss_before", before == null ? null : before.evaluation().loss());
      fields.put("eval_loss_after", after == null ? null : after.evaluation().loss());
      if (before != null && after != null && after.metrics() != null) {
        fields.put("eval_metrics_before", before.fields());
        fields.put("eval_metrics_after", after.fields());
      }
      fields.put("tokens_per_second", result.tokensPerSecond());
      fields.put("peak_native_bytes", NativeMemory.peakBytes());
      fields.put("peak_rss_bytes", ProcessMemory.peakResidentBytes());
      fields.put("adapter", saved.toString());
      return fields;
    }

    List<String> lines(Path target) {
      List<String> lines = new ArrayList<>();
      for (Samples.Pair sample : samples) {
        lines.add("");
        lines.add("prompt  | " + sample.prompt().replace("\n", "\n        | "));
        lines.add("before  | " + sample.before().replace("\n", "\n        | "));
        lines.add("after   | " + sample.after().replace("\n", "\n        | "));
      }
      lines.add("");
      if (before != null && after != null) {
        lines.add("held-out " + changes(before, after));
      }
      lines.add(
          "%d steps in %s, %,.0f tokens/s, peak native %s"
              .formatted(
                  result.steps(),
                  Progress.duration(seconds),
                  result.tokensPerSecond(),
                  Progress.bytes(NativeMemory.peakBytes())));
      lines.add("written: " + saved + ", " + target.resolve("report.html"));
      return lines;
    }

    private static String changes(Measured before, Measured after) {
      Map<String, Double> then = before.metrics();
      Map<String, Double> now = after.metrics();
      if (then == null || now == null) {
        double from = before.evaluation().perplexity();
        double to = after.evaluation().perplexity();
        return "perplexity %.3f -> %.3f (%+.1f %%)".formatted(from, to, 100 * (to / from - 1));
      }
      List<String> changes = new ArrayList<>();
      now.forEach(
          (name, value) -> changes.add("%s %.4g -> %.4g".formatted(name, then.get(name), value)));
      return String.join(", ", changes);
    }
  }
}
