package dev.gatun.models.dropout;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedTask;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Loss;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The extra losses of tasks in float64 against two complete forward passes reckoned in plain Java,
/// and their gradients against central differences.
class TaskDivergenceTest {
  private static final double STEP = 1e-5;
  private static final long SEED = 7;
  private static final int OPTIMIZER_STEP = 3;
  private static final double LAMBDA = 1.5;

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  /// Logarithms of the probabilities of each row's distributions, and the task's loss.
  private record Branch(List<double[]> logs, double task) {}

  private static Dropout method(boolean js, boolean both) {
    Dropout minus = Dropout.hiddenKeyMinus(0.2, 0.1).withLayers(Dropout.Layers.ALL);
    return minus.withAgreement(js ? Agreement.JS : Agreement.KL, LAMBDA).withBothBranches(both);
  }

  private static Branch branch(AdaptedTask adapted, List<Example> rows, Dropout dropout, int pass) {
    TaskModel model = adapted.model();
    Batch batch = Batch.of(rows, 0);
    try (Scope scope = TestDevice.open()) {
      DropoutMasks masks =
          new DropoutMasks(
              IntStream.range(0, rows.size())
                  .mapToObj(
                      row -> new DropoutMasks.Source(dropout, SEED, OPTIMIZER_STEP, pass, row))
                  .toList(),
              model.layers());
      ForwardPass.Builder builder =
          adapted
              .adapter()
              .join(ForwardPass.of(scope, model, batch.ids(), batch.offsets()), batch.tokens());
      ForwardPass forward = builder.masks(dropout.drops() ? masks : null).build();
      Tensor read = model.head().read(scope, model.hidden(scope, forward, false), forward);
      double[][] outputs = rows(model.head().outputs(scope, read, forward));
      double[][] represented = rows(read);
      List<double[]> logs = new ArrayList<>();
      double task = 0;
      for (int i = 0; i < rows.size(); i++) {
        switch (requireNonNull(rows.get(i).sequenceLabel())) {
          case SequenceLabel.Category label -> {
            double[] own = logSoftmax(outputs[i]);
            logs.add(own);
            task -= own[label.index()];
          }
          case SequenceLabel.Quantity label -> {
            logs.add(logSoftmax(represented[i]));
            task += Math.pow(outputs[i][0] - label.value(), 2);
          }
          case SequenceLabel.Span label -> {
            int from = batch.offsets()[i];
            int to = batch.offsets()[i + 1];
            for (int column = 0; column < 2; column++) {
              double[] scores = new double[to - from];
              for (int t = from; t < to; t++) {
                scores[t - from] = outputs[t][column];
              }
              double[] own = logSoftmax(scores);
              logs.add(own);
              task -= own[column == 0 ? label.start() : label.end()] / 2;
            }
          }
        }
      }
      return new Branch(logs, task);
    }
  }

  private static double[][] rows(Tensor matrix) {
    double[] flat = Parity.doubles(matrix);
    int width = (int) matrix.size(1);
    double[][] rows = new double[flat.length / width][width];
    for (int i = 0; i < flat.length; i++) {
      rows[i / width][i % width] = flat[i];
    }
    return rows;
  }

  private static double[] logSoftmax(double... scores) {
    double sum = 0;
    for (double score : scores) {
      sum += Math.exp(score);
    }
    double[] logs = new double[scores.length];
    for (int i = 0; i < scores.length; i++) {
      logs[i] = scores[i] - Math.log(sum);
    }
    return logs;
  }

  private static double kl(double[] p, double[] q) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      sum += Math.exp(p[i]) * (p[i] - q[i]);
    }
    return sum;
  }

  private static double divergence(Task task, Branch first, Branch second, boolean js) {
    double sum = 0;
    for (int i = 0; i < first.logs.size(); i++) {
      double forth = kl(first.logs.get(i), second.logs.get(i));
      double back = kl(second.logs.get(i), first.logs.get(i));
      sum += js ? forth : (forth + back) / 2;
    }
    return task.isOfSequences() ? sum : sum / 2; // start and end are one answer
  }

  @ParameterizedTest
  @CsvSource({
    "roberta,false,false",
    "roberta,false,true",
    "roberta,true,false",
    "xlm-roberta,false,false",
    "xlm-roberta,false,true",
    "xlm-roberta,true,false",
    "roberta-qa,false,false",
    "roberta-qa,true,false",
    "roberta-qa,false,true",
    "deberta-v3,false,false",
    "llama-score,true,false"
  })
  void equalsTwoForwardPassesAndCentralDifferences(String name, boolean js, boolean both)
      throws IOException {
    List<Example> rows = AdaptedTask.rows(name).subList(0, 3);
    Batch batch = Batch.of(rows, 0);
    Dropout dropout = method(js, both);
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F64);
        Scope scope = TestDevice.open()) {
      Task task = adapted.model().task();
      LanguageModelLoss loss = adapted.loss(dropout, SEED, false, false);
      Loss.Value value = loss.of(scope, batch, OPTIMIZER_STEP, 1);
      Branch first = branch(adapted, rows, dropout, 0);
      Branch second = branch(adapted, rows, js ? Dropout.NONE : dropout, 1);
      double apart = divergence(task, first, second, js);
      assertThat(value.task()).isCloseTo(first.task, within(1e-9));
      assertThat(value.divergence()).isCloseTo(apart, within(1e-9));
      assertThat(apart).isGreaterThan(1e-3);
      assertThat(value.total().item()).isCloseTo(first.task + LAMBDA * apart, within(1e-9));
      Map<String, double[]> gradients =
          adapted.gradients(s -> loss.of(s, batch, OPTIMIZER_STEP, 1).total());
      assertDerivatives(
          adapted,
          gradients,
          () -> {
            Branch moved = branch(adapted, rows, dropout, 0);
            Branch other = both ? branch(adapted, rows, dropout, 1) : second;
            return moved.task + LAMBDA * divergence(task, moved, other, js);
          });
    }
  }

  /// Compares two elements of each trained tensor.
  private static void assertDerivatives(
      AdaptedTask adapted, Map<String, double[]> gradients, DoubleSupplier loss) {
    adapted
        .adapter()
        .parameters()
        .forEach((key, tensor) -> {
          double[] gradient = requireNonNull(gradients.get(key));
          double largest = 0;
          for (double each : gradient) {
            largest = Math.max(largest, Math.abs(each));
          }
          assertThat(largest).as(key).isPositive();
          for (int at : new int[] {0, gradient.length / 2}) {
            double difference = derivative(tensor, at, loss);
            assertThat(gradient[at])
                .as("%s[%d]", key, at)
                .isCloseTo(difference, within(2e-6 * Math.max(largest, 1e-2)));
          }
        });
  }

  private static double derivative(Tensor tensor, int at, DoubleSupplier loss) {
    double value = tensor.toDoubles()[at];
    TestDevice.set(tensor, at, value + STEP);
    double above = loss.getAsDouble();
    TestDevice.set(tensor, at, value - STEP);
    double below = loss.getAsDouble();
    TestDevice.set(tensor, at, value);
    return (above - below) / (2 * STEP);
  }
}
