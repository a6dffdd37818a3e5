package dev.gatun.cli.report;

import dev.gatun.cli.report.RunReport.Data;
import dev.gatun.cli.report.RunReport.Environment;
import dev.gatun.cli.report.RunReport.EvalPoint;
import dev.gatun.cli.report.RunReport.Evaluation;
import dev.gatun.cli.report.RunReport.Model;
import dev.gatun.cli.report.RunReport.Sample;
import dev.gatun.cli.report.RunReport.Timing;
import dev.gatun.cli.report.RunReport.TrainPoint;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// Reports for tests.
final class Runs {
  private Runs() {}

  static List<TrainPoint> train(int steps, IntToDoubleFunction loss) {
    return IntStream.rangeClosed(1, steps)
        .mapToObj(i ->
            new TrainPoint(
                i, 3.0 * i / steps, loss.applyAsDouble(i), null, 2e-4, 1 + i % 7, 5e3, 1 << 28))
        .toList();
  }

  static List<EvalPoint> evals(double... losses) {
    return IntStream.range(0, losses.length)
        .mapToObj(i -> new EvalPoint(10 * i, losses[i], Math.exp(losses[i])))
        .toList();
  }

  static RunReport of(List<TrainPoint> train, List<EvalPoint> evals) {
    Evaluation before = evals.isEmpty() ? null : evaluation(evals.getFirst());
    Evaluation after = evals.isEmpty() ? null : evaluation(evals.getLast());
    return new RunReport(
        "A run",
        new Model("tiny", 4_213_760, 98_304),
        Map.of("rank", "8"),
        Map.of("--lr", "2e-4"),
        train,
        evals,
        before,
        after,
        List.of(new Sample("int i", " = 0;", " = 1;")),
        new Environment("0.1.0", "2.13.0", "25", "a CPU", 2, "Linux"),
        new Timing(83.2, 614_400, 5213.4, 312L << 20, 871L << 20),
        new Data(1234, 345_678, 65, 18_123, 7),
        List.of());
  }

  /// A report whose every text is `text`.
  static RunReport saying(String text) {
    return new RunReport(
        text,
        new Model(text, 1, 1),
        Map.of(text, text),
        Map.of(text, text),
        train(3, i -> i),
        List.of(),
        null,
        null,
        List.of(new Sample(text, text, text)),
        new Environment(text, text, text, text, 1, text),
        new Timing(1, 1, 1, 1, null),
        new Data(1, 1, 0, 0, 0),
        List.of(text));
  }

  private static Evaluation evaluation(EvalPoint point) {
    return new Evaluation(point.loss(), point.perplexity());
  }
}
