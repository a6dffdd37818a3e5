package dev.gatun.models.task;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.metrics.Calibration;
import dev.gatun.models.metrics.Classification;
import dev.gatun.models.metrics.Correlation;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// One or two texts with a class or a number, by a head for sequences.
///
/// [TextInput] says how a model reads the texts.
///
/// @param task the task
record LabelledTask(ClassificationTask task) implements NamedTask {
  private static final int BINS = 15;

  @Override
  public String name() {
    return task.name();
  }

  @Override
  public Task head() {
    return task.isRegression()
        ? Task.regression(task.hub().label())
        : Task.classification(task.labels());
  }

  @Override
  public List<String> metrics() {
    return task.isRegression()
        ? task.metrics()
        : Stream.concat(task.metrics().stream(), Stream.of("accuracy", "brier"))
            .distinct()
            .toList();
  }

  @Override
  public TaskSet read(Path file, TaskEncoding encoding) throws IOException {
    List<ClassificationRow> rows = task.read(file).rows();
    List<Example> examples = new ArrayList<>();
    int cut = 0;
    TextInput input = TextInput.of(encoding.tokenizer(), encoding.causal());
    for (ClassificationRow row : rows) {
      int at = examples.size();
      int[] whole = input.ids(row.first(), row.second(), Integer.MAX_VALUE);
      int[] ids =
          whole.length <= encoding.maxLength()
              ? whole
              : input.ids(row.first(), row.second(), encoding.maxLength());
      cut += ids.length < whole.length ? 1 : 0;
      SequenceLabel label =
          task.isRegression()
              ? new SequenceLabel.Quantity(row.label())
              : new SequenceLabel.Category(row.classIndex());
      examples.add(Example.labelled(at, at, ids, label));
    }
    return new Labelled(task, new Dataset(examples, cut, 0), rows);
  }

  /// A file of such rows.
  private record Labelled(ClassificationTask task, Dataset examples, List<ClassificationRow> rows)
      implements TaskSet {
    @Override
    public TaskScores scores(
        Dataset some, Evaluation evaluation, Transformer model, PassAddition addition) {
      double[] labels =
          some.examples().stream().mapToDouble(e -> rows.get(e.document()).label()).toArray();
      return task.isRegression()
          ? new TaskScores(ofNumbers(evaluation.outputs(), labels), null)
          : ofClasses(evaluation.outputs(), Arrays.stream(labels).mapToInt(l -> (int) l).toArray());
    }

    private static Map<String, Double> ofNumbers(List<float[]> outputs, double[] labels) {
      double[] predictions = outputs.stream().mapToDouble(o -> o[0]).toArray();
      boolean enough = labels.length > 1;
      Map<String, Double> metrics = new LinkedHashMap<>();
      metrics.put("pearson", enough ? Correlation.pearson(predictions, labels) : Double.NaN);
      metrics.put("spearmanr", enough ? Correlation.spearman(predictions, labels) : Double.NaN);
      return metrics;
    }

    private TaskScores ofClasses(List<float[]> outputs, int[] labels) {
      double[][] probabilities = outputs.stream().map(Task::softmax).toArray(double[][]::new);
      int[] predictions = Arrays.stream(probabilities).mapToInt(Labelled::likeliest).toArray();
      Map<String, Double> metrics = new LinkedHashMap<>();
      for (String name : task.metrics()) {
        metrics.put(name, metric(name, predictions, labels));
      }
      metrics.putIfAbsent("accuracy", metric("accuracy", predictions, labels));
      Calibration calibration = Calibration.of(probabilities, labels, BINS);
      metrics.put("ece", calibration.error());
      metrics.put("brier", Calibration.brier(probabilities, labels));
      return new TaskScores(metrics, calibration);
    }

    private double metric(String name, int[] predictions, int[] labels) {
      return switch (name) {
        case "accuracy" -> Classification.accuracy(predictions, labels);
        case "f1" ->
            task.labels().size() == 2
                ? Classification.binaryF1(predictions, labels)
                : Classification.macroF1(predictions, labels);
        case "matthews_correlation" -> Classification.matthews(predictions, labels);
        default -> throw new IllegalArgumentException(task.name() + ": unknown metric " + name);
      };
    }

    private static int likeliest(double... p) {
      int best = 0;
      for (int i = 1; i < p.length; i++) {
        best = p[i] > p[best] ? i : best;
      }
      return best;
    }
  }
}
