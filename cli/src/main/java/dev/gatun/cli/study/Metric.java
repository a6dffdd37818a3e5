package dev.gatun.cli.study;

import java.math.BigDecimal;
import java.util.Set;

/// A metric of a task.
///
/// @param name its name
/// @param isBetterLow whether less is better
/// @param whole what it is at its best or worst: 1 of a share, 100 of a percentage; 0 where it has
///   no bound that papers write in two ways
public record Metric(String name, boolean isBetterLow, double whole) {
  private static final Set<String> LOW = Set.of("ter", "brier");
  private static final Set<String> PERCENTAGES = Set.of("bleu", "ter", "exact_match");
  private static final Set<String> SHARES =
      Set.of("accuracy", "f1", "matthews_correlation", "pearson", "spearmanr", "meteor", "rougeL");

  /// Returns a task's metric.
  ///
  /// @param name its name; behind a blank of what it is
  static Metric of(String task, String name) {
    String plain =
        name.replaceFirst(" .*", "")
            .replaceFirst("_(un)?seen$", "")
            .replaceFirst("^(Has|No)Ans_", "");
    boolean isShare = SHARES.contains(plain);
    boolean ofAnswers = isShare && plain.equals("f1") && task.startsWith("squad");
    double whole = ofAnswers || PERCENTAGES.contains(plain) ? 100 : isShare ? 1 : 0;
    return new Metric(name, LOW.contains(plain), whole);
  }

  /// {@return a paper's figure in the unit of ours: some write shares as percentages, some
  /// percentages as shares}
  ///
  /// @param figure as the paper has it
  public double reported(double figure) {
    boolean isShare = Math.abs(figure) <= 1;
    int places = whole == 1 && !isShare ? -2 : whole == 100 && isShare ? 2 : 0;
    return new BigDecimal(Double.toString(figure)).movePointRight(places).doubleValue();
  }
}
