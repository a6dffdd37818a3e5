package dev.gatun.cli.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/// What a study found, method by method.
///
/// @param recipe what was compared
/// @param rows a row for each method, in the recipe's order
/// @param speedup how many times as fast a step of the methods that may share a pass is in one as
///   their steps one after the other; null where there are no two
public record Summary(Recipe recipe, List<Row> rows, @Nullable Double speedup) {
  /// What a method came to.
  ///
  /// @param method the method
  /// @param runs its runs, by seed
  /// @param parameters numbers that it trains
  /// @param eval held-out loss at the end
  /// @param best lowest held-out loss on the way
  /// @param gap held-out loss minus loss on the training rows at the end
  /// @param calibrationError expected calibration error
  /// @param ensemble held-out loss of the ensemble, or null
  /// @param difference mean of the held-out loss minus the first method's, by seed
  /// @param p p-value of Wilcoxon's signed-rank test of that; not a number for the first method
  /// @param time step time over the first method's
  /// @param memory peak native bytes of a step over the first method's
  public record Row(
      Recipe.Method method,
      List<RunRecord> runs,
      long parameters,
      Statistics eval,
      Statistics best,
      Statistics gap,
      Statistics calibrationError,
      @Nullable Statistics ensemble,
      double difference,
      double p,
      double time,
      double memory) {}

  /// {@return the summary of a finished study}
  ///
  /// @param recipe what was compared
  /// @param records all of its runs
  /// @param journal for the costs
  public static Summary of(Recipe recipe, List<RunRecord> records, Journal journal) {
    Map<String, List<RunRecord>> byMethod = Journal.byMethod(recipe, records);
    List<RunRecord> baseline = byMethod.get(recipe.methods().getFirst().name());
    double[] reference = losses(Objects.requireNonNull(baseline));
    Costs first = costs(journal, recipe.methods().getFirst().name());
    List<Row> rows = new ArrayList<>();
    for (Recipe.Method method : recipe.methods()) {
      List<RunRecord> runs = Objects.requireNonNull(byMethod.get(method.name()));
      double[] losses = losses(runs);
      Costs costs = costs(journal, method.name());
      boolean ensembles = runs.stream().allMatch(run -> run.ensembleLoss() != null);
      rows.add(
          new Row(
              method,
              runs,
              runs.getFirst().parameters(),
              figure(runs, RunRecord::evalLoss),
              figure(runs, RunRecord::bestLoss),
              figure(runs, RunRecord::gap),
              figure(runs, run -> run.calibration().error()),
              ensembles ? figure(runs, run -> Objects.requireNonNull(run.ensembleLoss())) : null,
              DoubleStream.of(losses).average().orElse(Double.NaN)
                  - DoubleStream.of(reference).average().orElse(Double.NaN),
              Statistics.pairedP(losses, reference),
              costs.seconds() / first.seconds(),
              (double) costs.bytes() / first.bytes()));
    }
    return new Summary(recipe, rows, speedup(recipe, journal));
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

  private static double[] losses(List<RunRecord> runs) {
    return runs.stream().mapToDouble(RunRecord::evalLoss).toArray();
  }

  /// {@return all runs as CSV, a line for each}
  public String csv() {
    StringBuilder csv =
        new StringBuilder(
            "method,trains,dropout,seed,parameters,train_loss,eval_loss,best_eval_loss,gap,ece,"
                + "ensemble_loss\n");
    for (Row row : rows) {
      for (RunRecord run : row.runs) {
        csv.append(quoted(row.method.name()))
            .append(',')
            .append(quoted(row.method.trainee().text()))
            .append(',')
            .append(quoted(row.method.text()))
            .append(',')
            .append(run.seed())
            .append(',')
            .append(run.parameters())
            .append(',')
            .append(run.trainLoss())
            .append(',')
            .append(run.evalLoss())
            .append(',')
            .append(run.bestLoss())
            .append(',')
            .append(run.gap())
            .append(',')
            .append(run.calibration().error())
            .append(',')
            .append(run.ensembleLoss() == null ? "" : run.ensembleLoss())
            .append('\n');
      }
    }
    return csv.toString();
  }

  private static String quoted(String text) {
    return '"' + text.replace("\"", "\"\"") + '"';
  }
}
