package dev.gatun.cli.study;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Batches;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.metrics.Calibration;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.train.Confidences;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.SideBySide;
import dev.gatun.models.train.StepReport;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.TrainResult;
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
import org.jspecify.annotations.Nullable;

/// Runs a recipe: every method with every seed, several runs side by side where they may share a
/// pass, those that are done left alone.
public final class Study {
  private static final int WARM_UP_ROUNDS = 2;
  private static final int PROBE_ROUNDS = 5;
  private static final int PROBE_STEPS = 3; // the first of a round does not count
  private static final int BINS = 10;

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
  private final CausalLm model;
  private final Dataset train;
  private final Dataset heldOut;
  private final Listener listener;

  /// Prepares a study.
  ///
  /// @param recipe what to compare
  /// @param directory where the model is from
  /// @param model the model, frozen
  /// @param train what is trained on
  /// @param heldOut what is evaluated on
  /// @param listener watches
  public Study(
      Recipe recipe,
      ModelDirectory directory,
      CausalLm model,
      Dataset train,
      Dataset heldOut,
      Listener listener) {
    this.recipe = recipe;
    this.directory = directory;
    this.model = model;
    this.train = train;
    this.heldOut = heldOut;
    this.listener = listener;
  }

  /// Tries out whether each method fits the model.
  ///
  /// @throws IllegalArgumentException if one does not
  public void check() {
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
    for (List<Pending> cohort : cohorts(pending, together)) {
      train(journal, cohort, done, all);
      done += cohort.size();
    }
    return journal.records();
  }

  /// A run to make.
  private record Pending(Recipe.Method method, long seed) {}

  /// Divides runs into those that share passes; a run that cannot is alone.
  private static List<List<Pending>> cohorts(List<Pending> pending, int together) {
    List<List<Pending>> cohorts = new ArrayList<>();
    List<Pending> open = List.of();
    for (Pending each : pending) {
      if (!each.method.trainee().sharesPasses()) {
        cohorts.add(List.of(each));
        continue;
      }
      if (open.isEmpty() || open.size() == together) {
        open = new ArrayList<>();
        cohorts.add(open);
      }
      open.add(each);
    }
    return cohorts;
  }

  private void train(Journal journal, List<Pending> cohort, int done, int all) throws IOException {
    try (CausalLm own = ownModel(cohort.getFirst().method);
        Scope owner = Scope.open(model.device())) {
      CausalLm base = own == null ? model : own;
      List<SideBySide.Run> runs = new ArrayList<>();
      for (Pending each : cohort) {
        runs.add(run(owner, base, each.method, each.seed, steps()));
      }
      List<TrainResult> results =
          SideBySide.train(base, runs, (run, report) -> progress(done, all, cohort.size(), report));
      for (int i = 0; i < cohort.size(); i++) {
        Pending each = cohort.get(i);
        journal.add(record(base, each.method, each.seed, runs.get(i), results.get(i)));
      }
    }
  }

  /// Opens a model for a method that trains all of its weights; null where the shared one will do.
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed by the caller
  private @Nullable CausalLm ownModel(Recipe.Method method) throws IOException {
    return method.trainee() instanceof Trainee.AllWeights
        ? directory.open(model.device(), model.computeType(), ModelDirectory.Use.TRAINED)
        : null;
  }

  private int steps() {
    Recipe.Length length = recipe.course().length();
    return length.inEpochs()
        ? Math.toIntExact(new Batches(train, batches(0)).totalSteps(length.count()))
        : length.count();
  }

  private BatchOptions batches(long seed) {
    Recipe.Course course = recipe.course();
    return new BatchOptions(course.batch(), course.accumulate(), true, true, false, 1, seed);
  }

  private void progress(int done, int all, int together, StepReport report) {
    listener.progress(
        "runs",
        done,
        all,
        "%d more side by side, step %d/%d, loss %.4f"
            .formatted(together, report.step(), report.steps(), report.loss()));
  }

  /// @param steps steps of this run; what depends on them in an adapter is as in a whole one
  private SideBySide.Run run(
      Scope owner, CausalLm base, Recipe.Method method, long seed, int steps) {
    Recipe.Course course = recipe.course();
    double warmup = course.warmup() < 1 ? Math.rint(course.warmup() * steps) : course.warmup();
    TrainOptions options =
        new TrainOptions(
            new LanguageModelLoss.Options(method.dropout(), seed, false, false),
            AdamW.Config.defaults().withWeightDecay(method.weightDecay()),
            new Schedule(
                course.schedule(), method.learningRate(), (int) Math.min(warmup, steps), steps),
            course.maxGradNorm(),
            batches(seed),
            course.evalEvery(),
            0,
            0);
    return new SideBySide.Run(
        method.trainee().create(owner, directory, base, seed, steps()), options, train, heldOut);
  }

  private RunRecord record(
      CausalLm base, Recipe.Method method, long seed, SideBySide.Run run, TrainResult result) {
    double evalLoss = Evaluation.of(base, run.trained(), heldOut, done -> {}).loss();
    double trainLoss = Evaluation.of(base, run.trained(), train, done -> {}).loss();
    List<RunRecord.Point> points = new ArrayList<>();
    result.evaluations().forEach(e -> points.add(new RunRecord.Point(e.step(), e.loss())));
    points.add(new RunRecord.Point(result.steps(), evalLoss));
    Double ensemble = null;
    if (method.dropout().draws() > 1) {
      ensemble =
          Evaluation.ensemble(
                  base,
                  run.trained(),
                  heldOut,
                  method.dropout(),
                  seed,
                  Evaluation.Average.LOGITS,
                  done -> {})
              .loss();
    }
    Confidences confidences = Confidences.of(base, run.trained(), heldOut);
    return new RunRecord(
        method.name(),
        seed,
        run.trained().parameters().values().stream().mapToLong(Tensor::elements).sum(),
        result.losses(),
        points,
        trainLoss,
        evalLoss,
        Calibration.of(confidences.probabilities(), confidences.right(), BINS),
        ensemble);
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
    try (CausalLm own = ownModel(methods.getFirst());
        Scope owner = Scope.open(model.device())) {
      CausalLm base = own == null ? model : own;
      List<SideBySide.Run> runs =
          methods.stream().map(m -> run(owner, base, m, 0, PROBE_STEPS)).toList();
      long before = NativeMemory.liveBytes(model.device());
      NativeMemory.resetPeak();
      SideBySide.train(
          base,
          runs.stream()
              .map(r -> new SideBySide.Run(r.trained(), r.options(), train, null))
              .toList(),
          (run, report) -> {
            if (run == 0 && report.step() > 1) {
              seconds.computeIfAbsent(name, n -> new ArrayList<>()).add(report.seconds());
            }
          });
      bytes.merge(name, NativeMemory.peakBytes(model.device()) - before, Math::max);
    }
  }
}
