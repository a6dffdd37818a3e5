package dev.gatun.models.train;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Settings of the short runs that the training tests share, and a listener that keeps every
/// report.
final class Runs {
  static final TrainListener SILENT = report -> true;

  private Runs() {}

  static Dataset data(List<Example> rows) {
    return new Dataset(rows, 0, 0);
  }

  static Dataset rows(String model, int from, int to) throws IOException {
    return data(AdaptedModel.trainingRows(model).subList(from, to));
  }

  static TrainOptions options(Dropout dropout, BatchOptions batches, double rate, int steps) {
    return new TrainOptions(
        new LanguageModelLoss.Options(dropout, 7, false, false),
        AdamW.Config.defaults(),
        new Schedule(Schedule.Shape.CONSTANT, rate, 0, steps),
        0,
        batches,
        0,
        0,
        0);
  }

  static BatchOptions inOrder(int rows, int accumulation) {
    return new BatchOptions(rows, accumulation, false, false, false, 1, 0);
  }

  /// Keeps the reports.
  static final class Reports implements TrainListener {
    final List<StepReport> steps = new ArrayList<>();

    @Override
    public boolean onStep(StepReport report) {
      steps.add(report);
      return true;
    }
  }
}
