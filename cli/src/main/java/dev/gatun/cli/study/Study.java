package dev.gatun.cli.study;

import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.metrics.Calibration;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.Confidences;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.SideBySide;
import dev.gatun.models.train.StepReport;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.TrainResult;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs a recipe: every method with every seed, several runs side by side, those that are done left
/// alone.
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
  private final CausalLm model;
  private final Dataset train;
  private final Dataset heldOut;
  private final Journal journal;
  private final Listener listener;

  /// Prepares a study.
  ///
  /// @param recipe what to compare
  /// @param model the frozen model
  /// @param train what is trained on
  /// @param heldOut what is evaluated on
  /// @param journal keeps what is done
  /// @param listener watches
  public Study(
      Recipe recipe,
      CausalLm model,
      Dataset train,
      Dataset heldOut,
      Journal journal,
      Listener listener) {
    this.recipe = recipe;
    this.model = model;
    this.train = train;
    this.heldOut = heldOut;
    this.journal = journal;
    this.listener = listener;
  }

  /// Makes the runs that are missing.
  ///
  /// @param together runs that share a pass, at least 1
  /// @return all runs
  /// @throws IOException if the journal cannot be written
  public List<RunRecord> run(int together) throws IOException {
    if (journal.costs().isEmpty()) {
      journal.keep(costs());
    }
    record Pending(Recipe.Method method, long seed) {}
    List<Pending> pending = new ArrayList<>();
    for (long seed : recipe.seeds()) {
      for (Recipe.Method method : recipe.methods()) {
        if (!journal.has(method.name(), seed)) {
          pending.add(new Pending(method, seed));
        }
      }
    }
    int all = recipe.seeds().size() * recipe.methods().size();
    if (pending.size() < all) {
      listener.say("%d of %d runs are done already".formatted(all - pending.size(), all));
    }
    for (int start = 0; start < pending.size(); start += together) {
      List<Pending> cohort = pending.subList(start, Math.min(start + together, pending.size()));
      int done = all - pending.size() + start;
      try (Scope owner = Scope.open(model.device())) {
        List<SideBySide.Run> runs = new ArrayList<>();
        for (Pending each : cohort) {
          runs.add(run(owner, each.method.dropout(), each.seed, recipe.course().steps()));
        }
        List<TrainResult> results =
            SideBySide.train(
                model, runs, (run, report) -> progress(done, all, cohort.size(), report));
        for (int i = 0; i < cohort.size(); i++) {
          Pending each = cohort.get(i);
          journal.add(record(each.method, each.seed, runs.get(i), results.get(i)));
        }
      }
    }
    return journal.records();
  }

  private void progress(int done, int all, int together, StepReport report) {
    listener.progress(
        "runs",
        done,
        all,
        "%d more side by side, step %d/%d, loss %.4f"
            .formatted(together, report.step(), report.steps(), report.loss()));
  }

  private SideBySide.Run run(Scope owner, Dropout dropout, long seed, int steps) {
    Recipe.Course course = recipe.course();
    Recipe.Adapter adapter = recipe.adapter();
    TargetModules targets =
        adapter.targets().isEmpty()
            ? new TargetModules.AllLinear()
            : new TargetModules.Names(adapter.targets());
    TrainOptions options =
        new TrainOptions(
            new LanguageModelLoss.Options(dropout, seed, false, false),
            AdamW.Config.defaults().withWeightDecay(course.weightDecay()),
            new Schedule(
                course.schedule(), course.learningRate(), Math.min(course.warmup(), steps), steps),
            course.maxGradNorm(),
            BatchOptions.shuffled(course.batch(), seed),
            course.evalEvery(),
            0,
            0);
    LoraConfig config = LoraConfig.of(adapter.rank(), adapter.alpha(), targets);
    return new SideBySide.Run(
        LoraAdapter.create(owner, model, config, seed), options, train, heldOut);
  }

  private RunRecord record(
      Recipe.Method method, long seed, SideBySide.Run run, TrainResult result) {
    double evalLoss = Evaluation.of(model, run.trained(), heldOut, done -> {}).loss();
    double trainLoss = Evaluation.of(model, run.trained(), train, done -> {}).loss();
    List<RunRecord.Point> points = new ArrayList<>();
    result.evaluations().forEach(e -> points.add(new RunRecord.Point(e.step(), e.loss())));
    points.add(new RunRecord.Point(result.steps(), evalLoss));
    Double ensemble = null;
    if (method.dropout().draws() > 1) {
      ensemble =
          Evaluation.ensemble(
                  model,
                  run.trained(),
                  heldOut,
                  method.dropout(),
                  seed,
                  Evaluation.Average.LOGITS,
                  done -> {})
              .loss();
    }
    Confidences confidences = Confidences.of(model, run.trained(), heldOut);
    return new RunRecord(
        method.name(),
        seed,
        result.losses(),
        points,
        trainLoss,
        evalLoss,
        Calibration.of(confidences.probabilities(), confidences.right(), BINS),
        ensemble);
  }

  /// Measures a step of each method alone, by turns, and of the first method's side by side.
  private List<Costs> costs() {
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
    listener.progress("measuring steps", rounds, rounds, "all methods");
    for (int i = 0; i < PROBE_ROUNDS; i++) {
      probe(recipe.methods(), seconds, bytes);
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
      List<Recipe.Method> methods, Map<String, List<Double>> seconds, Map<String, Long> bytes) {
    String name = methods.size() == 1 ? methods.getFirst().name() : Journal.TOGETHER;
    try (Scope owner = Scope.open(model.device())) {
      List<SideBySide.Run> runs =
          methods.stream().map(m -> run(owner, m.dropout(), 0, PROBE_STEPS)).toList();
      long before = NativeMemory.liveBytes(model.device());
      NativeMemory.resetPeak();
      SideBySide.train(
          model,
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
