package dev.gatun.cli.study;

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
  private static final Set<String> UNBOUND = Set.of("nist", "cider", "brier");

  /// Returns a task's metric.
  static Metric of(String task, String name) {
    String plain = name.replaceFirst("_(un)?seen$", "").replaceFirst("^(Has|No)Ans_", "");
    boolean ofAnswers = plain.equals("f1") && task.startsWith("squad");
    double whole = UNBOUND.contains(plain) ? 0 : 1;
    return new Metric(
        name, LOW.contains(plain), ofAnswers || PERCENTAGES.contains(plain) ? 100 : whole);
  }

  /// {@return a paper's figure in the unit of ours: some write shares as percentages, some
  /// percentages as shares}
  ///
  /// @param figure as the paper has it
  public double reported(double figure) {
    boolean isShare = Math.abs(figure) <= 1;
    if (whole == 1 && !isShare) {
      return figure / 100;
    }
    return whole == 100 && isShare ? figure * 100 : figure;
  }
}
