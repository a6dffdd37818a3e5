package dev.gatun.cli;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.ClassificationTask;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.NamedTasks;
import dev.gatun.models.task.TaskEncoding;
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

/// What `finetune` and `eval` learn and measure where it is a task.
final class TaskArguments {
  private static final String CLASSIFICATION = "classification";
  private static final String REGRESSION = "regression";
  private static final int TEXTS = 100;

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

  @Option(
      names = "--shots",
      paramLabel = "F",
      description = "With --task mmlu: a subject's answered questions, or the folder of them.")
  private @Nullable Path shots;

  @Option(
      names = "--texts",
      paramLabel = "N",
      description =
          "With e2e, webnlg, alpaca: prompts that are written for to be measured; 0: none. Default:"
              + " 100.")
  private @Nullable Integer texts;

  @Option(
      names = "--beams",
      paramLabel = "N",
      description = "Beams of these texts. Default: 5; alpaca: 1.")
  private @Nullable Integer beams;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Their tokens at most. Default: 64; webnlg: 96; alpaca: 128.")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--length-penalty",
      paramLabel = "X",
      description =
          "Power of its length that divides a beam's score. Default: e2e 0.9, webnlg 0.8, alpaca 1.")
  private @Nullable Double lengthPenalty;

  @Option(
      names = "--no-repeat-ngram",
      paramLabel = "N",
      description = "Length of the runs that may not come back. Default: 4; alpaca: 0.")
  private @Nullable Integer noRepeatNgram;

  boolean isOn() {
    return name != null;
  }

  /// Refuses what goes against each other before anything is opened.
  void check() {
    if (name == null) {
      refuseWithout("--labels", !labels.isEmpty(), "--task classification");
      refuseWithout("--shots", shots != null, "--task mmlu");
      for (String option : writing()) {
        refuseWithout(option, true, "--task e2e, webnlg or alpaca");
      }
      return;
    }
    if (!isGeneric() && NamedTasks.of(name).isEmpty()) {
      throw new RefusedException(
          "--task: found '%s', expected %s, classification or regression"
              .formatted(name, String.join(", ", NamedTasks.names())));
    }
    refuseWithout("--labels", !labels.isEmpty() && !is(CLASSIFICATION), "--task classification");
    refuseWithout("--shots", shots != null && !is("mmlu"), "--task mmlu");
    boolean writes = is("e2e") || is("webnlg") || is("alpaca");
    for (String option : writing()) {
      refuseWithout(option, !writes, "--task e2e, webnlg or alpaca");
    }
    if (labels.size() == 1 || labels.stream().distinct().count() < labels.size()) {
      throw new RefusedException("--labels: found " + labels + ", expected two or more, each once");
    }
    if (texts != null && texts < 0) {
      throw new RefusedException("--texts: found " + texts + ", expected 0 or more");
    }
    try {
      search(new BeamSearch.Options(1, 1, 1, 0, 1, true));
    } catch (IllegalArgumentException e) {
      throw new RefusedException(String.valueOf(e.getMessage()));
    }
  }

  private List<String> writing() {
    List<String> given = new ArrayList<>();
    if (texts != null) {
      given.add("--texts");
    }
    if (beams != null) {
      given.add("--beams");
    }
    if (maxNewTokens != null) {
      given.add("--max-new-tokens");
    }
    if (lengthPenalty != null) {
      given.add("--length-penalty");
    }
    if (noRepeatNgram != null) {
      given.add("--no-repeat-ngram");
    }
    return given;
  }

  private void refuseWithout(String option, boolean given, String expected) {
    if (given) {
      throw new RefusedException(
          "%s: found %s, expected %s"
              .formatted(option, name == null ? "no --task" : "--task " + name, expected));
    }
  }

  private boolean is(String other) {
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
    Task wanted = task.head();
    boolean decoder = Architectures.of(directory.config()).causal();
    if (wanted == null && (!decoder || there != null)) {
      String type = directory.config().json().path("model_type").asString("");
      throw new RefusedException(
          "--task %s: found %s in %s, expected a language model"
              .formatted(
                  task.name(),
                  there != null ? shown(there) : "an encoder, " + type + ",",
                  directory.path()));
    }
    if (wanted != null && wanted.kind() == Task.Kind.QUESTION_ANSWERING && decoder) {
      throw new RefusedException(
          "--task %s: found a decoder in %s, expected an encoder"
              .formatted(task.name(), directory.path()));
    }
    if (wanted != null && there != null && !fits(wanted, there)) {
      throw new RefusedException(
          "--task %s: found %s in %s, expected %s, or a model without a head"
              .formatted(task.name(), shown(there), directory.path(), shown(wanted)));
    }
    return task;
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

  /// Returns how texts become tokens.
  TaskEncoding encoding(
      ModelDirectory directory, Transformer model, @Nullable SpanTokenizer tokenizer, int maxLength)
      throws IOException {
    if (tokenizer == null) {
      throw new RefusedException(
          "--task: found no tokenizer.json in " + directory.path() + ", expected one");
    }
    return new TaskEncoding(
        tokenizer,
        model.isCausal(),
        maxLength,
        model.vocabulary(),
        this::search,
        directory.stopIds(),
        texts == null ? TEXTS : texts,
        shots);
  }

  /// Returns how texts are written: a task's own way but for what options say.
  private BeamSearch.Options search(BeamSearch.Options usual) {
    return new BeamSearch.Options(
        beams == null ? usual.beams() : beams,
        maxNewTokens == null ? usual.maxNewTokens() : maxNewTokens,
        lengthPenalty == null ? usual.lengthPenalty() : lengthPenalty,
        noRepeatNgram == null ? usual.noRepeatNgram() : noRepeatNgram,
        usual.repetitionPenalty(),
        usual.earlyStopping());
  }
}
