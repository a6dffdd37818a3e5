package dev.gatun.models.task;

import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.ExampleEncoder;
import dev.gatun.models.data.PlainChatFormat;
import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.metrics.Bleu;
import dev.gatun.models.metrics.Cider;
import dev.gatun.models.metrics.Meteor;
import dev.gatun.models.metrics.Nist;
import dev.gatun.models.metrics.RougeL;
import dev.gatun.models.metrics.Ter;
import dev.gatun.models.metrics.Tokenization;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Texts that continue a prompt, by a language model that learns each reference as a completion.
///
/// @param name the task's name
/// @param reader reads its files
/// @param separator what stands between prompt and text
/// @param metrics what it is measured by
/// @param search how texts are written unless another way is asked for; for E2E and WebNLG that of
///   the LoRA paper's experiments with half the beams
record GenerationTask(
    String name, Reader reader, String separator, List<String> metrics, BeamSearch.Options search)
    implements NamedTask {
  /// Reads a file.
  @FunctionalInterface
  interface Reader {
    TaskData<GenerationRow> read(Path file) throws IOException;
  }

  static final GenerationTask E2E =
      new GenerationTask(
          "e2e",
          E2eNlg::read,
          "\n",
          E2eNlg.METRICS,
          new BeamSearch.Options(5, 64, 0.9, 4, 1, true));

  static final GenerationTask WEBNLG =
      new GenerationTask(
          "webnlg",
          WebNlg::read,
          "\n",
          WebNlg.METRICS,
          new BeamSearch.Options(5, 96, 0.8, 4, 1, true));

  static final GenerationTask ALPACA =
      new GenerationTask(
          "alpaca",
          Alpaca::read,
          "",
          List.of("rougeL", "bleu"),
          new BeamSearch.Options(1, 128, 1, 0, 1, true));

  @Override
  public @Nullable Task head() {
    return null;
  }

  @Override
  public TaskSet read(Path file, TaskEncoding encoding) throws IOException {
    List<GenerationRow> rows = reader.read(file).rows();
    ExampleEncoder encoder =
        new ExampleEncoder(
            new DataOptions(
                encoding.tokenizer(),
                new PlainChatFormat(),
                encoding.maxLength(),
                encoding.vocabulary()));
    List<Example> examples = new ArrayList<>();
    int cut = 0;
    for (int i = 0; i < rows.size(); i++) {
      String prompt = rows.get(i).prompt() + separator;
      for (String reference : rows.get(i).references()) {
        Example example = encoder.example(examples.size(), i, prompt, reference);
        cut += example.length() == encoding.maxLength() ? 1 : 0;
        examples.add(example);
      }
    }
    return new Texts(
        this,
        encoding.search().apply(search),
        encoding,
        encoder,
        new Dataset(examples, cut, 0),
        rows);
  }

  /// A file of prompts with references.
  private record Texts(
      GenerationTask task,
      BeamSearch.Options search,
      TaskEncoding encoding,
      ExampleEncoder encoder,
      Dataset examples,
      List<GenerationRow> rows)
      implements TaskSet {
    @Override
    public TaskScores scores(
        Dataset some, Evaluation evaluation, Transformer model, PassAddition addition) {
      if (!(model instanceof CausalLm lm)) {
        throw new IllegalArgumentException(
            task.name + ": found a " + model.modelType() + ", expected a language model");
      }
      List<GenerationRow> asked =
          some.examples().stream()
              .mapToInt(Example::document)
              .distinct()
              .limit(encoding.texts())
              .mapToObj(rows::get)
              .toList();
      if (asked.isEmpty()) {
        return new TaskScores(Map.of(), null);
      }
      BeamSearch beams = new BeamSearch(lm, addition, encoding.stops());
      List<String> texts = asked.stream().map(row -> write(beams, row)).toList();
      List<List<String>> references = asked.stream().map(GenerationRow::references).toList();
      Map<String, Double> metrics = new LinkedHashMap<>();
      for (String name : task.metrics) {
        metrics.put(name, metric(name, texts, references));
      }
      if (task.name.equals(WEBNLG.name)) {
        addBySeen(metrics, asked, texts);
      }
      metrics.put("texts", (double) texts.size());
      return new TaskScores(metrics, null);
    }

    private String write(BeamSearch beams, GenerationRow row) {
      int[] prompt = encoder.prompt(row.prompt() + task.separator);
      int[] best = beams.search(prompt, search).hypotheses().getFirst().ids();
      return encoding.tokenizer().decodeWritten(best, false).strip();
    }

    private static double metric(String name, List<String> texts, List<List<String>> references) {
      Tokenization words = Tokenization.MTEVAL_13A_LOWER_CASE;
      return switch (name) {
        case "bleu" -> Bleu.of(texts, references, words).score();
        case "nist" -> Nist.of(texts, references, words);
        case "meteor" -> Meteor.of(texts, references);
        case "rougeL" -> RougeL.coco(texts, references);
        case "cider" -> Cider.of(texts, references).score();
        case "ter" -> Ter.of(texts, references).score();
        default -> throw new IllegalArgumentException("unknown metric " + name);
      };
    }

    /// Adds WebNLG's metrics of the categories of its training set, and of the others.
    private void addBySeen(
        Map<String, Double> metrics, List<GenerationRow> asked, List<String> texts) {
      for (boolean seen : new boolean[] {true, false}) {
        List<String> own = new ArrayList<>();
        List<List<String>> references = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
          String category = asked.get(i).category();
          if (category != null && WebNlg.SEEN.contains(category) == seen) {
            own.add(texts.get(i));
            references.add(asked.get(i).references());
          }
        }
        if (!own.isEmpty() && own.size() < texts.size()) {
          for (String name : task.metrics) {
            metrics.put(name + (seen ? "_seen" : "_unseen"), metric(name, own, references));
          }
        }
      }
    }
  }
}
