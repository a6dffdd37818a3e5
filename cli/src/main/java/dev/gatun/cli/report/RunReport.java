package dev.gatun.cli.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the report page of one training run shows. Immutable: maps and lists are copied, maps keep
/// their order. Texts may hold anything, they are escaped where they are written. A number that was
/// not measured is NaN, or `null` where the component allows it, and is left out of the page.
///
/// @param title headline of the page, such as `LoRA on tiny-java`
/// @param model what was trained
/// @param adapter settings of the adapter (rank, alpha, targets, dropout); empty for full training
/// @param settings every option of the run with the value in force, in the order to show
/// @param train one point per optimizer step, steps ascending
/// @param evals evaluations on the held-out rows, steps ascending; step 0 is before training
/// @param before evaluation before training, or `null` without held-out rows
/// @param after evaluation of the result that was written, or `null`
/// @param samples completions before and after
/// @param environment what it ran on
/// @param timing time, throughput and memory of the whole run
/// @param data what was trained on
/// @param warnings one line each, shown near the top
public record RunReport(
    String title,
    Model model,
    Map<String, String> adapter,
    Map<String, String> settings,
    List<TrainPoint> train,
    List<EvalPoint> evals,
    @Nullable Evaluation before,
    @Nullable Evaluation after,
    List<Sample> samples,
    Environment environment,
    Timing timing,
    Data data,
    List<String> warnings) {

  /// Copies the maps and lists.
  ///
  /// @throws NullPointerException if a map or list has a `null` in it
  public RunReport {
    adapter = inOrder(adapter);
    settings = inOrder(settings);
    train = List.copyOf(train);
    evals = List.copyOf(evals);
    samples = List.copyOf(samples);
    warnings = List.copyOf(warnings);
  }

  private static Map<String, String> inOrder(Map<String, String> map) {
    Map<String, String> unordered = Map.copyOf(map); // refuses null
    Map<String, String> copy = LinkedHashMap.newLinkedHashMap(unordered.size());
    copy.putAll(map);
    return Collections.unmodifiableMap(copy);
  }

  /// The model.
  ///
  /// @param name name or folder of the model
  /// @param parameters number of parameters, adapters included
  /// @param trainedParameters number of those that were trained
  public record Model(String name, long parameters, long trainedParameters) {}

  /// One optimizer step.
  ///
  /// @param step number of the step, the first is 1
  /// @param epoch passes over the data up to and with this step
  /// @param taskLoss mean task loss per predicted token, nats
  /// @param klLoss the KL term before its weight, nats, or `null` where the run has none
  /// @param learningRate learning rate of the step
  /// @param gradNorm L2 norm of the gradient before clipping
  /// @param tokensPerSecond non-padding positions per second
  /// @param nativeBytes native bytes that the scopes counted in this step, mapped files excluded
  public record TrainPoint(
      int step,
      double epoch,
      double taskLoss,
      @Nullable Double klLoss,
      double learningRate,
      double gradNorm,
      double tokensPerSecond,
      long nativeBytes) {}

  /// An evaluation during training.
  ///
  /// @param step steps done when it was made
  /// @param loss mean loss per predicted token, nats
  /// @param perplexity `exp(loss)`
  public record EvalPoint(int step, double loss, double perplexity) {}

  /// An evaluation before or after training.
  ///
  /// @param loss mean loss per predicted token, nats, or per row of a task
  /// @param perplexity `exp(loss)`
  /// @param metrics a task's metrics in the order to show; empty for a language model, which is
  ///   judged by its perplexity
  public record Evaluation(double loss, double perplexity, Map<String, Double> metrics) {
    /// Copies the map.
    public Evaluation {
      metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }

    /// A language model's evaluation.
    ///
    /// @param loss mean loss per predicted token, nats
    /// @param perplexity `exp(loss)`
    public Evaluation(double loss, double perplexity) {
      this(loss, perplexity, Map.of());
    }

    boolean isOfTask() {
      return !metrics.isEmpty();
    }
  }

  /// One prompt and what the model made of it.
  ///
  /// @param prompt the text given
  /// @param before the completion before training, without the prompt
  /// @param after the completion after training, without the prompt
  public record Sample(String prompt, String before, String after) {}

  /// What the run ran on.
  ///
  /// @param gatun version of Gatun
  /// @param libtorch version of libtorch, and where it came from
  /// @param jdk version and vendor of the JDK
  /// @param cpu the processor
  /// @param threads compute threads
  /// @param os operating system
  public record Environment(
      String gatun, String libtorch, String jdk, String cpu, int threads, String os) {}

  /// Time, throughput and memory.
  ///
  /// @param seconds wall time of the training, evaluations included
  /// @param tokens non-padding positions trained on
  /// @param tokensPerSecond the run's figure: non-padding positions over the median step time
  /// @param peakNativeBytes most native bytes that the scopes counted, mapped files excluded
  /// @param peakRssBytes peak resident set, mapped pages included, or `null` where the system does
  ///   not tell
  public record Timing(
      double seconds,
      long tokens,
      double tokensPerSecond,
      long peakNativeBytes,
      @Nullable Long peakRssBytes) {}

  /// The data.
  ///
  /// @param trainRows rows trained on
  /// @param trainTokens tokens in those rows, one pass
  /// @param evalRows rows held out
  /// @param evalTokens tokens in those rows
  /// @param truncatedRows rows that were cut to the length limit
  public record Data(
      long trainRows, long trainTokens, long evalRows, long evalTokens, long truncatedRows) {}
}
