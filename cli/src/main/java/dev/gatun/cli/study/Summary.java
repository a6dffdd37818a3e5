package dev.gatun.cli.study;

import dev.gatun.models.metrics.Calibration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a study found, method by method.
///
/// @param recipe what was compared
/// @param metrics the task's metrics, the one that methods are compared by first; none without a
///   task
/// @param rows a row for each method, in the recipe's order
/// @param speedup how many times as fast a step of the methods that may share a pass is in one as
///   their steps one after the other; null where there are no two
public record Summary(
    Recipe recipe, List<Metric> metrics, List<Row> rows, @Nullable Double speedup) {
  /// What a method came to.
  ///
  /// @param method the method
  /// @param runs its runs, by seed
  /// @param parameters numbers that it trains
  /// @param metrics the task's metrics at the end, by name
  /// @param eval held-out loss at the end
  /// @param best lowest held-out loss on the way
  /// @param gap held-out loss minus loss on the training rows at the end; null where those are of
  ///   another task
  /// @param calibrationError expected calibration error, or null
  /// @param ensemble held-out loss of the ensemble, or null
  /// @param ensembleMetrics the ensemble's metrics
  /// @param metric the metric beside the first method's, or null
  /// @param loss the held-out loss beside the first method's
  /// @param reported a paper's figures by their names, in the units of a task's metrics
  /// @param time step time over the first method's
  /// @param memory peak native bytes of a step over the first method's
  public record Row(
      Recipe.Method method,
      List<RunRecord> runs,
      long parameters,
      Map<String, Statistics> metrics,
      Statistics eval,
      Statistics best,
      @Nullable Statistics gap,
      @Nullable Statistics calibrationError,
      @Nullable Statistics ensemble,
      Map<String, Statistics> ensembleMetrics,
      @Nullable Contrast metric,
      Contrast loss,
      Map<String, Double> reported,
      double time,
      double memory) {}

  /// A figure of a method beside the first method's, by seed.
  ///
  /// @param difference of the means
  /// @param p p-value of Wilcoxon's signed-rank test; not a number for the first method
  public record Contrast(double difference, double p) {
    static Contrast of(double[] ours, double[] baseline) {
      return new Contrast(mean(ours) - mean(baseline), Statistics.pairedP(ours, baseline));
    }

    private static double mean(double... values) {
      return DoubleStream.of(values).average().orElse(Double.NaN);
    }
  }

  /// {@return the summary of a finished study}
  ///
  /// @param recipe what was compared
  /// @param records all of its runs
  /// @param journal for the costs
  public static Summary of(Recipe recipe, List<RunRecord> records, Journal journal) {
    Map<String, List<RunRecord>> byMethod = Journal.byMethod(recipe, records);
    List<Metric> metrics = metrics(recipe, records);
    Costs first = costs(journal, recipe.methods().getFirst().name());
    List<RunRecord> baseline =
        Objects.requireNonNull(byMethod.get(recipe.methods().getFirst().name()));
    List<Row> rows = new ArrayList<>();
    for (Recipe.Method method : recipe.methods()) {
      List<RunRecord> runs = Objects.requireNonNull(byMethod.get(method.name()));
      Costs costs = costs(journal, method.name());
      boolean calibrated = runs.stream().allMatch(run -> run.calibration() != null);
      boolean ensembles = runs.stream().allMatch(run -> run.ensembleLoss() != null);
      rows.add(
          new Row(
              method,
              runs,
              runs.getFirst().parameters(),
              figures(metrics, runs, RunRecord::metrics),
              figure(runs, RunRecord::evalLoss),
              figure(runs, RunRecord::bestLoss),
              recipe.evaluatesItsTask() ? figure(runs, RunRecord::gap) : null,
              calibrated
                  ? figure(runs, run -> Objects.requireNonNull(run.calibration()).error())
                  : null,
              ensembles ? figure(runs, run -> Objects.requireNonNull(run.ensembleLoss())) : null,
              figures(metrics, runs, RunRecord::ensembleMetrics),
              metrics.isEmpty() ? null : contrast(run -> metric(run, recipe), runs, baseline),
              contrast(RunRecord::evalLoss, runs, baseline),
              reported(recipe.heldOutTask(), method),
              costs.seconds() / first.seconds(),
              (double) costs.bytes() / first.bytes()));
    }
    return new Summary(recipe, metrics, rows, speedup(recipe, journal));
  }

  private static double metric(RunRecord run, Recipe recipe) {
    return run.metrics().getOrDefault(Objects.requireNonNull(recipe.metric()), Double.NaN);
  }

  /// Returns the metrics that runs have, the recipe's first.
  private static List<Metric> metrics(Recipe recipe, List<RunRecord> records) {
    String task = recipe.heldOutTask();
    String main = recipe.metric();
    if (task == null || main == null) {
      return List.of();
    }
    return Stream.concat(
            Stream.of(main), records.stream().flatMap(run -> run.metrics().keySet().stream()))
        .distinct()
        .map(name -> Metric.of(task, name))
        .toList();
  }

  private static Map<String, Statistics> figures(
      List<Metric> metrics, List<RunRecord> runs, Function<RunRecord, Map<String, Double>> of) {
    Map<String, Statistics> figures = new LinkedHashMap<>();
    for (Metric metric : metrics) {
      if (runs.stream().allMatch(run -> of.apply(run).containsKey(metric.name()))) {
        figures.put(
            metric.name(),
            figure(runs, run -> Objects.requireNonNull(of.apply(run).get(metric.name()))));
      }
    }
    return figures;
  }

  private static Map<String, Double> reported(@Nullable String task, Recipe.Method method) {
    Map<String, Double> reported = new LinkedHashMap<>(method.reported());
    if (task != null) {
      reported.replaceAll((name, figure) -> Metric.of(task, name).reported(figure));
    }
    return reported;
  }

  private static Contrast contrast(
      ToDoubleFunction<RunRecord> value, List<RunRecord> runs, List<RunRecord> baseline) {
    return Contrast.of(
        runs.stream().mapToDouble(value).toArray(), baseline.stream().mapToDouble(value).toArray());
  }

  private static @Nullable Double speedup(Recipe recipe, Journal journal) {
    List<Recipe.Method> sharing = Journal.sharing(recipe);
    if (sharing.size() < 2) {
      return null;
    }
    double apart = sharing.stream().mapToDouble(m -> costs(journal, m.name()).seconds()).sum();
    return apart / costs(journal, Journal.TOGETHER).seconds();
  }

  private static Costs costs(Journal journal, String name) {
    return journal.costs().stream()
        .filter(costs -> costs.method().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("costs.json: found none for " + name));
  }

  private static Statistics figure(List<RunRecord> runs, ToDoubleFunction<RunRecord> value) {
    return Statistics.of(runs.stream().mapToDouble(value).toArray());
  }

  /// {@return the names of a paper's figures that are not those of metrics}
  public List<String> otherReported() {
    List<String> measured = metrics.stream().map(Metric::name).toList();
    return rows.stream()
        .flatMap(row -> row.reported.keySet().stream())
        .distinct()
        .filter(name -> !measured.contains(name))
        .toList();
  }

  /// {@return whether a paper's figure of that name is there for a method}
  ///
  /// @param name its name
  public boolean isReported(String name) {
    return rows.stream().anyMatch(row -> row.reported.containsKey(name));
  }

  /// {@return all runs as CSV, a line for each}
  public String csv() {
    List<String> heads =
        new ArrayList<>(
            List.of(
                "method",
                "trains",
                "dropout",
                "seed",
                "parameters",
                "train_loss",
                "eval_loss",
                "best_eval_loss",
                "gap",
                "ece",
                "ensemble_loss"));
    List<String> reported = new ArrayList<>();
    for (Metric metric : metrics) {
      heads.add(metric.name());
      heads.add("ensemble_" + metric.name());
      if (isReported(metric.name())) {
        reported.add(metric.name());
      }
    }
    reported.addAll(otherReported());
    reported.forEach(name -> heads.add(quoted("paper_" + name)));
    StringBuilder csv = new StringBuilder(String.join(",", heads)).append('\n');
    for (Row row : rows) {
      for (RunRecord run : row.runs) {
        List<String> cells = new ArrayList<>();
        cells.add(quoted(row.method.name()));
        cells.add(quoted(row.method.trainee().text()));
        cells.add(quoted(row.method.text()));
        cells.add(Long.toString(run.seed()));
        cells.add(Long.toString(run.parameters()));
        cells.add(Double.toString(run.trainLoss()));
        cells.add(Double.toString(run.evalLoss()));
        cells.add(Double.toString(run.bestLoss()));
        cells.add(row.gap == null ? "" : Double.toString(run.gap()));
        Calibration calibration = run.calibration();
        cells.add(calibration == null ? "" : Double.toString(calibration.error()));
        cells.add(cell(run.ensembleLoss()));
        for (Metric metric : metrics) {
          cells.add(cell(run.metrics().get(metric.name())));
          cells.add(cell(run.ensembleMetrics().get(metric.name())));
        }
        reported.forEach(name -> cells.add(cell(row.reported.get(name))));
        csv.append(String.join(",", cells)).append('\n');
      }
    }
    return csv.toString();
  }

  private static String cell(@Nullable Double value) {
    return value == null ? "" : value.toString();
  }

  private static String quoted(String text) {
    return '"' + text.replace("\"", "\"\"") + '"';
  }
}
