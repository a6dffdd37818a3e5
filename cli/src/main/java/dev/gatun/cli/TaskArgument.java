package dev.gatun.cli;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.ClassificationTask;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.NamedTasks;
import dev.gatun.models.zoo.Architectures;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options `--task` and `--labels`: what is learnt and measured where it is a task.
final class TaskArgument {
  private static final String CLASSIFICATION = "classification";
  private static final String REGRESSION = "regression";

  @Option(
      names = "--task",
      paramLabel = "NAME",
      description =
          "A task whose files the data is and by whose metrics it is measured: cola, sst2, mrpc, qqp,"
              + " stsb, mnli, qnli, rte, wnli, squad, squad_v2, e2e, webnlg, alpaca, mmlu; or"
              + " classification or regression of columns text, label and maybe text_pair. Default:"
              + " a language model's next tokens.")
  private @Nullable String name;

  @Option(
      names = "--labels",
      paramLabel = "A,B,..",
      split = ",",
      description =
          "With --task classification: the classes in their order. Default: those of the model's"
              + " head, or of the training data.")
  private List<String> labels = new ArrayList<>();

  boolean isOn() {
    return name != null;
  }

  /// Refuses a name that is none, and classes that are none, before anything is opened.
  void check() {
    if (!labels.isEmpty() && !is(CLASSIFICATION)) {
      throw refusal("--labels", "--task classification");
    }
    if (name == null) {
      return;
    }
    if (!isGeneric() && NamedTasks.of(name).isEmpty()) {
      throw new RefusedException(
          "--task: found '%s', expected %s, classification or regression"
              .formatted(name, String.join(", ", NamedTasks.names())));
    }
    if (labels.size() == 1 || labels.stream().distinct().count() < labels.size()) {
      throw new RefusedException("--labels: found " + labels + ", expected two or more, each once");
    }
  }

  /// Returns the refusal of an option that goes with another task.
  RefusedException refusal(String option, String expected) {
    return new RefusedException(
        "%s: found %s, expected %s"
            .formatted(option, name == null ? "no --task" : "--task " + name, expected));
  }

  /// Returns whether the task has that name.
  boolean is(String other) {
    return name != null && name.toLowerCase(Locale.ROOT).equals(other);
  }

  private boolean isGeneric() {
    return is(CLASSIFICATION) || is(REGRESSION);
  }

  /// Returns the task, checked against the head that the model directory has; null without --task.
  ///
  /// @param train the data that classes are taken from where nothing else names them; or null
  @Nullable NamedTask task(ModelDirectory directory, @Nullable Path train) throws IOException {
    if (name == null) {
      return null;
    }
    Task there = directory.task();
    NamedTask task =
        isGeneric()
            ? NamedTasks.labelled(ClassificationTask.ofText(classes(there, train)))
            : NamedTasks.of(name).orElseThrow();
    fit("--task " + task.name(), task, directory);
    return task;
  }

  /// Refuses a task whose head is another than the model directory's, or that is of other models.
  ///
  /// @param place what named the task
  static void fit(String place, NamedTask task, ModelDirectory directory) throws IOException {
    Task there = directory.task();
    Task wanted = task.head();
    boolean decoder = Architectures.of(directory.config()).causal();
    if (wanted == null && (!decoder || there != null)) {
      String type = directory.config().json().path("model_type").asString("");
      throw new RefusedException(
          "%s: found %s in %s, expected a language model"
              .formatted(
                  place,
                  there != null ? shown(there) : "an encoder, " + type + ",",
                  directory.path()));
    }
    if (wanted != null && wanted.kind() == Task.Kind.QUESTION_ANSWERING && decoder) {
      throw new RefusedException(
          "%s: found a decoder in %s, expected an encoder".formatted(place, directory.path()));
    }
    if (wanted != null && there != null && !fits(wanted, there)) {
      throw new RefusedException(
          "%s: found %s in %s, expected %s, or a model without a head"
              .formatted(place, shown(there), directory.path(), shown(wanted)));
    }
  }

  private List<String> classes(@Nullable Task there, @Nullable Path train) throws IOException {
    if (is(REGRESSION)) {
      return List.of();
    }
    if (!labels.isEmpty()) {
      return labels;
    }
    if (there != null && there.kind() == Task.Kind.CLASSIFICATION && isNamed(there)) {
      return there.labels();
    }
    if (train == null) {
      throw new RefusedException(
          "--labels: found none and no head that names them, expected the classes in the order that"
              + " they were trained in");
    }
    return ClassificationTask.labelsOf(train);
  }

  /// Returns whether a head fits: its classes have the task's names, or none.
  private static boolean fits(Task wanted, Task there) {
    return wanted.kind() == there.kind()
        && wanted.outputs() == there.outputs()
        && (wanted.kind() != Task.Kind.CLASSIFICATION
            || !isNamed(there)
            || wanted.labels().equals(there.labels()));
  }

  private static boolean isNamed(Task task) {
    return !task.labels().stream().allMatch(label -> label.matches("LABEL_\\d+"));
  }

  private static String shown(Task task) {
    return switch (task.kind()) {
      case CLASSIFICATION ->
          "a head of %d classes (%s)".formatted(task.outputs(), String.join(", ", task.labels()));
      case REGRESSION -> "a head for a regression";
      case QUESTION_ANSWERING -> "a head for question answering";
    };
  }

  /// Opens the model that a task is of, or the language model where there is none.
  @MustBeClosed
  static Transformer open(
      ModelDirectory directory,
      @Nullable NamedTask task,
      Device device,
      DType compute,
      Use use,
      long seed)
      throws IOException {
    Task head = task == null ? null : task.head();
    return head == null
        ? directory.open(device, compute, use)
        : directory.openTask(head, device, compute, use, seed);
  }
}
