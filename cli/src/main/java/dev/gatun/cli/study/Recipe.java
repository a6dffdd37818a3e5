package dev.gatun.cli.study;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.task.NamedTasks;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What a study compares: a YAML file, whose keys are in `recipes/README.md`. Paths in it are
/// relative to its folder.
///
/// @param name what the study is called
/// @param model model directory; null for the demo model
/// @param task name of the task that the data is of; null for language modelling
/// @param heldOutTask name of the task that is evaluated, usually the same
/// @param metric name of its metric that methods are compared by; null for language modelling
/// @param shots MMLU's answered questions, or null
/// @param train what is trained on
/// @param heldOut what is evaluated on
/// @param trainRows rows of `train` that are used, from the first on; 0 for all
/// @param heldOutRows rows of `heldOut` that are used
/// @param maxLength tokens of a row
/// @param course how each run is trained
/// @param decoding how texts are written where the task is to write some, else null
/// @param seeds one run of each method for each
/// @param methods the first is the one that the others are compared with
public record Recipe(
    String name,
    @Nullable Path model,
    @Nullable String task,
    @Nullable String heldOutTask,
    @Nullable String metric,
    @Nullable Path shots,
    Path train,
    Path heldOut,
    int trainRows,
    int heldOutRows,
    int maxLength,
    Course course,
    @Nullable Decoding decoding,
    List<Long> seeds,
    List<Method> methods) {
  /// How a run is trained.
  ///
  /// @param length how long
  /// @param batch rows of a pass
  /// @param accumulate passes of a step
  /// @param schedule course of the learning rate
  /// @param warmup steps of warm-up; below 1, their share of all
  /// @param maxGradNorm limit of the gradients' norm; 0 for none
  /// @param labelSmoothing share of the target that all classes divide
  /// @param evalEvery steps between evaluations; 0 for none before the end
  public record Course(
      Length length,
      int batch,
      int accumulate,
      Schedule.Shape schedule,
      double warmup,
      double maxGradNorm,
      double labelSmoothing,
      int evalEvery) {}

  /// How long a run is.
  ///
  /// @param count how many
  /// @param inEpochs whether they are passes over the data, not optimizer steps
  public record Length(int count, boolean inEpochs) {}

  /// How texts are written.
  ///
  /// @param beams beams; 1 is greedy
  /// @param lengthPenalty exponent of the length in a beam's score
  /// @param noRepeatNgram length of token sequences that may come once; 0 for none
  /// @param repetitionPenalty divisor of logits that have come; 1 for none
  public record Decoding(
      int beams, double lengthPenalty, int noRepeatNgram, double repetitionPenalty) {
    /// {@return a task's own way to write with these settings}
    ///
    /// @param usual the task's own
    public BeamSearch.Options over(BeamSearch.Options usual) {
      return new BeamSearch.Options(
          beams,
          usual.maxNewTokens(),
          lengthPenalty,
          noRepeatNgram,
          repetitionPenalty,
          usual.earlyStopping());
    }
  }

  /// One of the methods.
  ///
  /// @param name shown in the tables
  /// @param trainee what it trains
  /// @param text its dropout as `--dropout` takes it
  /// @param dropout its dropout
  /// @param learningRate peak rate
  /// @param weightDecay of AdamW
  /// @param reported figures of a paper by their names, shown beside ours; usually empty
  public record Method(
      String name,
      Trainee trainee,
      String text,
      Dropout dropout,
      double learningRate,
      double weightDecay,
      Map<String, Double> reported) {
    private Method ofEncoder() {
      Dropout all = DropoutText.parse(text, Dropout.Layers.ALL);
      return new Method(name, trainee, text, all, learningRate, weightDecay, reported);
    }
  }

  /// {@return this recipe for an encoder, all layers of which are masked where a method does not
  /// say which}
  public Recipe ofEncoder() {
    return new Recipe(
        name,
        model,
        task,
        heldOutTask,
        metric,
        shots,
        train,
        heldOut,
        trainRows,
        heldOutRows,
        maxLength,
        course,
        decoding,
        seeds,
        methods.stream().map(Method::ofEncoder).toList());
  }

  /// {@return whether a head says something of whole rows, in place of next tokens}
  public boolean hasHead() {
    return task != null && NamedTasks.of(task).orElseThrow().head() != null;
  }

  /// {@return whether what is evaluated is the task that was trained, so that losses may be
  /// compared}
  boolean evaluatesItsTask() {
    return Objects.equals(task, heldOutTask);
  }

  /// Reads a recipe.
  ///
  /// @param file the YAML file
  /// @return the recipe
  /// @throws MalformedFileException if it is no YAML, a key is missing or unknown, or a value unfit
  /// @throws IOException if it cannot be read
  public static Recipe read(Path file) throws IOException {
    return RecipeReader.read(file);
  }
}
