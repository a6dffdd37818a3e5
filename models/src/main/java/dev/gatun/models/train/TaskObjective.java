package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.dropout.Agreement;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A class, a number or an answer of each sequence, by the head of a task.
///
/// What two branches must agree on is the distribution over the classes, over the positions of the
/// answer's start and end (half of each), and for a number, which is none, the softmax of what the
/// head reads of the last layer. Source: HiddenKey, arXiv:2403.00812, section 4.3, which does not
/// say how the representation becomes a distribution.
///
/// @param model the model
record TaskObjective(TaskModel model) implements Objective {
  /// What the head reads and makes of it under all draws.
  private record Outputs(Tensor read, Tensor values, Ragged sequences) {}

  @Override
  public boolean isOfHead(Param weight) {
    return model.headParams().contains(weight);
  }

  @Override
  public Loss.Value value(
      Scope scope,
      Reading first,
      @Nullable Reading second,
      Batch batch,
      double scale,
      LanguageModelLoss.Options options) {
    Dropout dropout = options.dropout();
    try (Scope block = scope.child()) {
      Outputs outputs = outputs(block, first);
      Tensor task = loss(block, outputs.values, outputs.sequences, batch, first.draws());
      if (options.labelSmoothing() > 0) {
        task = smoothed(block, task, outputs.values, options.labelSmoothing());
      }
      if (second == null) {
        Tensor total = Elementwise.scale(block, task, scale);
        return new Loss.Value(scope.keep(total), task.item(), 0);
      }
      Tensor divergence =
          TaskLoss.divergence(
              block,
              logProbabilities(block, outputs),
              other(block, second, dropout.bothBranches()),
              dropout.agreement() == Agreement.JS);
      if (!model.task().isOfSequences()) {
        divergence = Elementwise.scale(block, divergence, 0.5); // of start and end
      }
      Tensor sum =
          Elementwise.add(block, task, Elementwise.scale(block, divergence, dropout.lambda()));
      Tensor total = Elementwise.scale(block, sum, scale);
      return new Loss.Value(scope.keep(total), task.item(), divergence.item());
    }
  }

  /// Returns a loss of classes with label smoothing.
  private Tensor smoothed(Scope scope, Tensor loss, Tensor values, double share) {
    if (model.task().kind() != Task.Kind.CLASSIFICATION) {
      throw new IllegalArgumentException(
          "label smoothing: found %s with a %s, expected 0".formatted(share, name()));
    }
    Tensor all = Reduce.sum(scope, TaskLoss.logProbabilities(scope, values));
    return Elementwise.sub(
        scope,
        Elementwise.scale(scope, loss, 1 - share),
        Elementwise.scale(scope, all, share / model.task().outputs()));
  }

  /// Returns the other branch's logarithms: a constant unless the gradient flows through both.
  private Tensor other(Scope scope, Reading second, boolean recorded) {
    try (Scope own = recorded ? scope.child() : scope.untaped()) {
      return scope.keep(logProbabilities(own, outputs(own, second)));
    }
  }

  private Outputs outputs(Scope scope, Reading reading) {
    ForwardPass pass = reading.pass();
    Tensor read = model.head().read(scope, reading.all(scope), pass);
    return new Outputs(read, model.head().outputs(scope, read, pass), pass.batch());
  }

  /// Returns the sum of the losses of all draws.
  private Tensor loss(Scope scope, Tensor outputs, Ragged sequences, Batch batch, int draws) {
    return switch (model.task().kind()) {
      case CLASSIFICATION -> {
        int[] once =
            labels(batch, SequenceLabel.Category.class).stream()
                .mapToInt(SequenceLabel.Category::index)
                .toArray();
        yield TaskLoss.classification(scope, outputs, repeated(once, draws), 1);
      }
      case REGRESSION -> {
        List<SequenceLabel.Quantity> once = labels(batch, SequenceLabel.Quantity.class);
        double[] targets = new double[draws * once.size()];
        for (int i = 0; i < targets.length; i++) {
          targets[i] = once.get(i % once.size()).value();
        }
        yield TaskLoss.regression(scope, outputs, targets, 1);
      }
      case QUESTION_ANSWERING -> {
        List<SequenceLabel.Span> spans = labels(batch, SequenceLabel.Span.class);
        int[] starts = spans.stream().mapToInt(SequenceLabel.Span::start).toArray();
        int[] ends = spans.stream().mapToInt(SequenceLabel.Span::end).toArray();
        yield Elementwise.add(
            scope,
            TaskLoss.positions(scope, outputs, 0, sequences, repeated(starts, draws), 0.5),
            TaskLoss.positions(scope, outputs, 1, sequences, repeated(ends, draws), 0.5));
      }
    };
  }

  private <T extends SequenceLabel> List<T> labels(Batch batch, Class<T> kind) {
    List<T> all = new ArrayList<>();
    for (SequenceLabel label : batch.sequenceLabels()) {
      if (kind.isInstance(label)) {
        all.add(kind.cast(label));
      }
    }
    if (all.size() != batch.segments()) {
      throw new IllegalArgumentException(
          "%s: found data with %s, expected a %s of each row"
              .formatted(
                  name(),
                  batch.sequenceLabels().isEmpty()
                      ? "tokens to predict"
                      : "a " + name(batch.sequenceLabels().getFirst().getClass()),
                  name(kind)));
    }
    return all;
  }

  private String name() {
    return model.task().kind().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String name(Class<?> kind) {
    return kind.getSimpleName().toLowerCase(Locale.ROOT);
  }

  private static int[] repeated(int[] values, int times) {
    int[] all = new int[times * values.length];
    for (int i = 0; i < times; i++) {
      System.arraycopy(values, 0, all, i * values.length, values.length);
    }
    return all;
  }

  private Tensor logProbabilities(Scope scope, Outputs outputs) {
    return switch (model.task().kind()) {
      case CLASSIFICATION -> TaskLoss.logProbabilities(scope, outputs.values);
      case REGRESSION -> TaskLoss.logProbabilities(scope, outputs.read);
      case QUESTION_ANSWERING ->
          Layout.cat(
              scope,
              1,
              TaskLoss.logPositions(scope, outputs.values, 0, outputs.sequences),
              TaskLoss.logPositions(scope, outputs.values, 1, outputs.sequences));
    };
  }

  @Override
  public Said say(Scope scope, Reading draws, Batch batch, Evaluation.Average average) {
    Tensor values = outputs(scope, draws).values;
    int width = Math.toIntExact(values.size(1));
    double[] all = Layout.to(scope, values, DType.F64).toDoubles();
    int each = all.length / draws.draws();
    double[] mean = new double[each];
    int[] bounds = bounds(batch);
    for (int d = 0; d < draws.draws(); d++) {
      for (int s = 0; s < batch.segments(); s++) {
        int from = bounds[s] * width;
        int length = bounds[s + 1] * width - from;
        double[] own = new double[length];
        System.arraycopy(all, d * each + from, own, 0, length);
        add(mean, from, own, average);
      }
    }
    boolean logarithms = isOfProbabilities(average);
    for (int i = 0; i < each; i++) {
      mean[i] = mean[i] / draws.draws();
      mean[i] = logarithms ? Math.log(mean[i]) : mean[i];
    }
    List<float[]> outputs = new ArrayList<>();
    for (int s = 0; s < batch.segments(); s++) {
      float[] own = new float[(bounds[s + 1] - bounds[s]) * width];
      for (int i = 0; i < own.length; i++) {
        own[i] = (float) mean[bounds[s] * width + i];
      }
      outputs.add(own);
    }
    Tensor averaged = scope.of(mean, each / width, width);
    Ragged sequences = Ragged.of(scope, batch.offsets());
    return new Said(loss(scope, averaged, sequences, batch, 1).item(), outputs);
  }

  /// Returns the first row of outputs of each sequence, then the number of rows.
  private int[] bounds(Batch batch) {
    if (!model.task().isOfSequences()) {
      return batch.offsets();
    }
    int[] bounds = new int[batch.segments() + 1];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = i;
    }
    return bounds;
  }

  private boolean isOfProbabilities(Evaluation.Average average) {
    return average == Evaluation.Average.PROBABILITIES
        && model.task().kind() != Task.Kind.REGRESSION;
  }

  /// Adds one draw's outputs of a sequence, or their probabilities, to a sum.
  private void add(double[] sum, int from, double[] own, Evaluation.Average average) {
    int width = model.task().outputs();
    // classes of one row exclude each other; of an answer, the rows of one column do
    int groups = model.task().isOfSequences() ? 1 : width;
    for (int group = 0; group < groups; group++) {
      double largest = Double.NEGATIVE_INFINITY;
      double total = 0;
      for (int i = group; i < own.length; i += groups) {
        largest = Math.max(largest, own[i]);
      }
      for (int i = group; i < own.length; i += groups) {
        total += Math.exp(own[i] - largest);
      }
      for (int i = group; i < own.length; i += groups) {
        sum[from + i] += isOfProbabilities(average) ? Math.exp(own[i] - largest) / total : own[i];
      }
    }
  }
}
