package dev.gatun.models.task;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.QuestionWindows.Window;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Answers in a text, by a head for tokens. A window is an example; windows overlap by a third of
/// the maximum length, as in transformers' `run_qa` (128 of 384).
///
/// @param mayBeEmpty whether a question may have no answer, as in SQuAD 2.0
record QuestionTask(boolean mayBeEmpty) implements NamedTask {
  @Override
  public String name() {
    return mayBeEmpty ? "squad_v2" : "squad";
  }

  @Override
  public Task head() {
    return Task.questionAnswering();
  }

  @Override
  public List<String> metrics() {
    return List.of("exact_match", "f1");
  }

  @Override
  public TaskSet read(Path file, TaskEncoding encoding) throws IOException {
    List<QuestionRow> rows = Squad.read(file).rows();
    if (encoding.causal()) {
      throw new IllegalArgumentException(name() + ": found a decoder, expected an encoder");
    }
    int stride = encoding.maxLength() / 3;
    QuestionWindows windows =
        new QuestionWindows(
            encoding.tokenizer(),
            PairLayout.of(encoding.tokenizer()),
            encoding.maxLength(),
            stride);
    List<Example> examples = new ArrayList<>();
    IdentityHashMap<int[], Window> byIds = new IdentityHashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).answers().isEmpty() && !mayBeEmpty) {
        throw new MalformedFileException(
            file,
            "question " + rows.get(i).id(),
            "no answer",
            "one at least; questions without are a task of their own, squad_v2");
      }
      for (Window window : windows.of(rows.get(i))) {
        byIds.put(window.ids(), window);
        examples.add(
            Example.labelled(
                examples.size(),
                i,
                window.ids(),
                new SequenceLabel.Span(window.startLabel(), window.endLabel())));
      }
    }
    return new Questions(mayBeEmpty, new Dataset(examples, 0, 0), rows, byIds);
  }

  /// A file of questions.
  ///
  /// @param windows by the arrays of their ids themselves, which examples keep
  private record Questions(
      boolean mayBeEmpty,
      Dataset examples,
      List<QuestionRow> rows,
      IdentityHashMap<int[], Window> windows)
      implements TaskSet {
    @Override
    public TaskScores scores(
        Dataset some, Evaluation evaluation, Transformer model, PassAddition addition) {
      Map<Integer, List<AnswerDecoder.Logits>> logits = new LinkedHashMap<>();
      for (int i = 0; i < some.size(); i++) {
        Example example = some.examples().get(i);
        float[] both = evaluation.outputs().get(i);
        float[] starts = new float[example.length()];
        float[] ends = new float[example.length()];
        for (int t = 0; t < starts.length; t++) {
          starts[t] = both[2 * t];
          ends[t] = both[2 * t + 1];
        }
        Window window = Objects.requireNonNull(windows.get(example.ids()));
        logits
            .computeIfAbsent(example.document(), d -> new ArrayList<>())
            .add(new AnswerDecoder.Logits(window, starts, ends));
      }
      AnswerDecoder decoder = mayBeEmpty ? AnswerDecoder.SQUAD_2 : AnswerDecoder.SQUAD_1;
      List<String> predictions = new ArrayList<>();
      List<List<String>> answers = new ArrayList<>();
      logits.forEach((row, own) -> {
        predictions.add(decoder.decode(rows.get(row), own).text());
        answers.add(rows.get(row).answers().stream().map(QuestionRow.Answer::text).toList());
      });
      return new TaskScores(mayBeEmpty ? v2(predictions, answers) : v1(predictions, answers), null);
    }

    private static Map<String, Double> v1(List<String> predictions, List<List<String>> answers) {
      Map<String, Double> metrics = new LinkedHashMap<>();
      put(metrics, "", dev.gatun.models.metrics.Squad.of(predictions, answers));
      return metrics;
    }

    private static Map<String, Double> v2(List<String> predictions, List<List<String>> answers) {
      dev.gatun.models.metrics.Squad.V2 scores =
          dev.gatun.models.metrics.Squad.v2(predictions, answers);
      Map<String, Double> metrics = new LinkedHashMap<>();
      put(metrics, "", scores.all());
      scores.hasAnswer().ifPresent(some -> put(metrics, "HasAns_", some));
      scores.noAnswer().ifPresent(some -> put(metrics, "NoAns_", some));
      return metrics;
    }

    private static void put(
        Map<String, Double> metrics, String prefix, dev.gatun.models.metrics.Squad scores) {
      metrics.put(prefix + "exact_match", scores.exactMatch());
      metrics.put(prefix + "f1", scores.f1());
    }
  }
}
