package dev.gatun.cli.study;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Batches;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.metrics.Calibration;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.TaskScores;
import dev.gatun.models.task.TaskSet;
import dev.gatun.models.train.Confidences;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.SideBySide;
import dev.gatun.models.train.StepReport;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.TrainResult;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a recipe: every method with every seed, several runs side by side where they may share a
/// pass, those that are done left alone.
public final class Study {
  private static final int WARM_UP_ROUNDS = 2;
  private static final int PROBE_ROUNDS = 5;
  private static final int PROBE_STEPS = 3; // the first of a round does not count
  private static final int BINS = 10; // of tokens; tasks have their own

  /// Metrics that are shown elsewhere: the calibration error, and the number of texts.
  private static final Set<String> BESIDE_METRICS = Set.of("ece", "texts");

  /// Is told how far a study is.
  public interface Listener {
    /// Shows how far something is.
    ///
    /// @param label what it is
    /// @param done how much is done
    /// @param total how much there is
    /// @param details figures
    void progress(String label, long done, long total, String details);

    /// Prints a line that stays.
    ///
    /// @param line the line
    void say(String line);
  }

  private final Recipe recipe;
  private final ModelDirectory directory;
  private final Bases bases;
  private final Rows rows;
  private final Listener listener;

  /// Prepares a study.
  ///
  /// @param recipe what to compare
  /// @param directory where the model is from
  /// @param bases open the model
  /// @param rows the data
  /// @param listener watches
  public Study(Recipe recipe, ModelDirectory directory, Bases bases, Rows rows, Listener listener) {
    this.recipe = recipe;
    this.directory = directory;
    this.bases = bases;
    this.rows = rows;
    this.listener = listener;
  }

  /// Tries out whether each method fits the model.
  ///
  /// @throws IllegalArgumentException if one does not
  /// @throws IOException if the model cannot be read
  public void check() throws IOException {
    Transformer model = bases.of(0);
    for (Recipe.Method method : recipe.methods()) {
      if (method.trainee() instanceof Trainee.AllWeights) {
        continue; // fits each model, but not the frozen one
      }
      try (Scope owner = Scope.open(model.device())) {
        method.trainee().create(owner, directory, model, 0, steps());
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("methods: " + method.name() + ": " + e.getMessage(), e);
      }
    }
  }

  /// Makes the runs that are missing.
  ///
  /// @param journal keeps what is done
  /// @param together runs that share a pass at most, at least 1
  /// @return all runs
  /// @throws IOException if the journal cannot be written
  public List<RunRecord> run(Journal journal, int together) throws IOException {
    if (journal.costs().isEmpty()) {
      journal.keep(costs());
    }
    List<Pending> pending = new ArrayList<>();
    for (long seed : recipe.seeds()) {
      for (Recipe.Method method : recipe.methods()) {
        if (!journal.has(method.name(), seed)) {
          pending.add(new Pending(method, seed));
        }
      }
    }
    int all = recipe.seeds().size() * recipe.methods().size();
    int done = all - pending.size();
    if (done > 0) {
      listener.say("%d of %d runs are done already".formatted(done, all));
    }
    for (List<Pending> cohort : cohorts(pending, together, bases.differ())) {
      train(journal, cohort, done, all);
      done += cohort.size();
    }
    return journal.records();
  }

  /// A run to make.
  private record Pending(Recipe.Method method, long seed) {}

  /// Divides runs into those that share passes; a run that cannot is alone.
  ///
  /// @param apart whether runs of different seeds cannot
  private static List<List<Pending>> cohorts(List<Pending> pending, int together, boolean apart) {
    List<List<Pending>> cohorts = new ArrayList<>();
    List<Pending> open = List.of();
    for (Pending each : pending) {
      if (!each.method.trainee().sharesPasses()) {
        cohorts.add(List.of(each));
        continue;
      }
      if (open.isEmpty()
          || open.size() == together
          || (apart && open.getFirst().seed != each.seed)) {
        open = new ArrayList<>();
        cohorts.add(open);
      }
      open.add(each);
    }
    return cohorts;
  }

  private void train(Journal journal, List<Pending> cohort, int done, int all) throws IOException {
    long seed = cohort.getFirst().seed;
    try (Transformer own = ownModel(cohort.getFirst().method, seed)) {
      Transformer base = own == null ? bases.of(seed) : own;
      try (Scope owner = Scope.open(base.device())) {
        List<SideBySide.Run> runs = new ArrayList<>();
        for (Pending each : cohort) {
          runs.add(run(owner, base, each.method, each.seed, steps()));
        }
        Watch watch = new Watch(base, runs, done, all);
        List<TrainResult> results = SideBySide.train(base, runs, watch);
        for (int i = 0; i < cohort.size(); i++) {
          listener.progress("runs", done + i, all, "evaluating " + cohort.get(i).method.name());
          journal.add(
              record(base, cohort.get(i), runs.get(i), results.get(i), watch.points.get(i)));
        }
      }
    }
  }

  /// Opens a model for a method that trains all of its weights; null where the shared one will do.
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed by the caller
  private @Nullable Transformer ownModel(Recipe.Method method, long seed) throws IOException {
    return method.trainee() instanceof Trainee.AllWeights ? bases.own(seed) : null;
  }

  private int steps() {
    Recipe.Length length = recipe.course().length();
    return length.inEpochs()
        ? Math.toIntExact(new Batches(rows.train(), batches(0)).totalSteps(length.count()))
        : length.count();
  }

  private BatchOptions batches(long seed) {
    Recipe.Course course = recipe.course();
    return new BatchOptions(course.batch(), course.accumulate(), true, true, false, 1, seed);
  }

  /// Shows the steps of a cohort and keeps its evaluations.
  private final class Watch implements SideBySide.Listener {
    private final Transformer base;
    private final List<SideBySide.Run> runs;
    private final int done;
    private final int all;
    private final List<List<RunRecord.Point>> points = new ArrayList<>();

    Watch(Transformer base, List<SideBySide.Run> runs, int done, int all) {
      this.base = base;
      this.runs = runs;
      this.done = done;
      this.all = all;
      runs.forEach(run -> points.add(new ArrayList<>()));
    }

    @Override
    public void onStep(int run, StepReport report) {
      listener.progress(
          "runs",
          done,
          all,
          "%d more side by side, step %d/%d, loss %.4f"
              .formatted(runs.size(), report.step(), report.steps(), report.loss()));
    }

    @Override
    public void onEvaluation(int run, int step, Evaluation evaluation) {
      TaskScores scores = ofOutputs(evaluation, base, runs.get(run).trained());
      points
          .get(run)
          .add(
              new RunRecord.Point(
                  step,
                  evaluation.loss(),
                  scores == null ? null : scores.metrics().get(recipe.metric())));
    }
  }

  /// @param steps steps of this run; what depends on them in an adapter is as in a whole one
  private SideBySide.Run run(
      Scope owner, Transformer base, Recipe.Method method, long seed, int steps) {
    Recipe.Course course = recipe.course();
    double warmup = course.warmup() < 1 ? Math.rint(course.warmup() * steps) : course.warmup();
    TrainOptions options =
        new TrainOptions(
            new LanguageModelLoss.Options(
                method.dropout(), seed, false, false, course.labelSmoothing()),
            AdamW.Config.defaults().withWeightDecay(method.weightDecay()),
            new Schedule(
                course.schedule(), method.learningRate(), (int) Math.min(warmup, steps), steps),
            course.maxGradNorm(),
            batches(seed),
            course.evalEvery(),
            0,
            0);
    return new SideBySide.Run(
        method.trainee().create(owner, directory, base, seed, steps()),
        options,
        rows.train(),
        rows.heldOut());
  }

  private RunRecord record(
      Transformer base,
      Pending pending,
      SideBySide.Run run,
      TrainResult result,
      List<RunRecord.Point> before) {
    Trained trained = run.trained();
    Evaluation evaluation = Evaluation.of(base, trained, rows.heldOut(), done -> {});
    double trainLoss = Evaluation.of(base, trained, rows.train(), done -> {}).loss();
    TaskSet measure = rows.measure();
    TaskScores scores =
        measure == null ? null : measure.scores(rows.heldOut(), evaluation, base, trained);
    Map<String, Double> metrics = metrics(scores);
    List<RunRecord.Point> points = new ArrayList<>(before);
    points.add(
        new RunRecord.Point(result.steps(), evaluation.loss(), metrics.get(recipe.metric())));
    Double ensembleLoss = null;
    Map<String, Double> ensembleMetrics = Map.of();
    if (pending.method.dropout().draws() > 1) {
      Evaluation ensemble =
          Evaluation.ensemble(
              base,
              trained,
              rows.heldOut(),
              pending.method.dropout(),
              pending.seed,
              Evaluation.Average.LOGITS,
              done -> {});
      ensembleLoss = ensemble.loss();
      ensembleMetrics = metrics(ofOutputs(ensemble, base, trained));
    }
    return new RunRecord(
        pending.method.name(),
        pending.seed,
        trained.parameters().values().stream().mapToLong(Tensor::elements).sum(),
        result.losses(),
        points,
        trainLoss,
        evaluation.loss(),
        metrics,
        calibration(scores, base, trained),
        ensembleLoss,
        ensembleMetrics);
  }

  /// Returns what is measured on an evaluation's outputs alone; null where a task takes more, texts
  /// or answers, or there is none.
  private @Nullable TaskScores ofOutputs(Evaluation evaluation, Transformer base, Trained trained) {
    TaskSet measure = rows.measure();
    return measure == null || !(base instanceof TaskModel)
        ? null
        : measure.scores(rows.heldOut(), evaluation, base, trained);
  }

  private static Map<String, Double> metrics(@Nullable TaskScores scores) {
    Map<String, Double> metrics = new LinkedHashMap<>(scores == null ? Map.of() : scores.metrics());
    metrics.keySet().removeAll(BESIDE_METRICS);
    return metrics;
  }

  /// Returns the calibration of a task's classes or answers, else of a language model's tokens.
  private @Nullable Calibration calibration(
      @Nullable TaskScores scores, Transformer base, Trained trained) {
    if (scores != null && scores.calibration() != null) {
      return scores.calibration();
    }
    if (!(base instanceof CausalLm lm)) {
      return null;
    }
    Confidences confidences = Confidences.of(lm, trained, rows.heldOut());
    return Calibration.of(confidences.probabilities(), confidences.right(), BINS);
  }

  /// Measures a step of each method alone, by turns, and of those in one pass that may share it.
  private List<Costs> costs() throws IOException {
    Map<String, List<Double>> seconds = new LinkedHashMap<>();
    Map<String, Long> bytes = new LinkedHashMap<>();
    int rounds = (WARM_UP_ROUNDS + PROBE_ROUNDS) * recipe.methods().size();
    for (int round = 0; round < rounds; round++) {
      Recipe.Method method = recipe.methods().get(round % recipe.methods().size());
      listener.progress("measuring steps", round, rounds, method.name());
      if (round == WARM_UP_ROUNDS * recipe.methods().size()) {
        seconds.clear();
      }
      probe(List.of(method), seconds, bytes);
    }
    List<Recipe.Method> sharing = Journal.sharing(recipe);
    for (int i = 0; i < PROBE_ROUNDS && sharing.size() > 1; i++) {
      listener.progress("measuring steps", rounds, rounds, Journal.TOGETHER);
      probe(sharing, seconds, bytes);
    }
    List<Costs> costs = new ArrayList<>();
    seconds.forEach((name, times) -> {
      double[] sorted = times.stream().mapToDouble(t -> t).sorted().toArray();
      costs.add(new Costs(name, sorted[sorted.length / 2], bytes.getOrDefault(name, 0L)));
    });
    return costs;
  }

  /// Adds the times of some steps of these methods in one pass.
  private void probe(
      List<Recipe.Method> methods, Map<String, List<Double>> seconds, Map<String, Long> bytes)
      throws IOException {
    String name = methods.size() == 1 ? methods.getFirst().name() : Journal.TOGETHER;
    try (Transformer own = ownModel(methods.getFirst(), 0)) {
      Transformer base = own == null ? bases.of(0) : own;
      try (Scope owner = Scope.open(base.device())) {
        List<SideBySide.Run> runs =
            methods.stream().map(m -> run(owner, base, m, 0, PROBE_STEPS)).toList();
        long before = NativeMemory.liveBytes(base.device());
        NativeMemory.resetPeak();
        SideBySide.train(
            base,
            runs.stream()
                .map(r -> new SideBySide.Run(r.trained(), r.options(), rows.train(), null))
                .toList(),
            (run, report) -> {
              if (run == 0 && report.step() > 1) {
                seconds.computeIfAbsent(name, n -> new ArrayList<>()).add(report.seconds());
              }
            });
        bytes.merge(name, NativeMemory.peakBytes(base.device()) - before, Math::max);
      }
    }
  }
}
