package dev.gatun.models.task;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.metrics.Calibration;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Norm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// MMLU: a letter behind a prompt, by a language model. What it chooses is the likeliest letter.
///
/// A file is one subject, a folder all of them. A prompt that is too long loses its beginning.
record ChoiceTask() implements NamedTask {
  private static final int BINS = 15;
  private static final int SHOTS = 5;

  @Override
  public String name() {
    return "mmlu";
  }

  @Override
  public @Nullable Task head() {
    return null;
  }

  @Override
  public List<String> metrics() {
    return List.of("accuracy", "brier");
  }

  /// A question as tokens.
  ///
  /// @param prompt what the letter follows
  /// @param letters the id of each letter
  /// @param answer index of the right one
  private record Encoded(int[] prompt, int[] letters, int answer) {
    Example example(int row) {
      int[] ids = Arrays.copyOf(prompt, prompt.length + 1);
      ids[prompt.length] = letters[answer];
      int[] labels = new int[ids.length];
      Arrays.fill(labels, Example.IGNORED);
      labels[prompt.length] = ids[prompt.length];
      return new Example(row, row, ids, labels);
    }
  }

  @Override
  public TaskSet read(Path source, TaskEncoding encoding) throws IOException {
    List<Encoded> rows = new ArrayList<>();
    int cut = 0;
    Map<String, List<ChoiceRow>> shots = new HashMap<>();
    for (Path file : files(source)) {
      for (ChoiceRow row : Mmlu.read(file).rows()) {
        String subject = row.subject();
        if (!shots.containsKey(subject)) {
          shots.put(subject, shots(encoding.shots(), subject));
        }
        String prompt = Mmlu.prompt(subject, Objects.requireNonNull(shots.get(subject)), row);
        Encoded whole = encoded(encoding.tokenizer(), prompt, row.answer());
        int over = whole.prompt.length + 1 - encoding.maxLength();
        cut += over > 0 ? 1 : 0;
        rows.add(over > 0 ? shortened(whole, over, encoding.tokenizer()) : whole);
      }
    }
    List<Example> examples = new ArrayList<>();
    for (Encoded row : rows) {
      examples.add(row.example(examples.size()));
    }
    return new Choices(new Dataset(examples, cut, 0), rows);
  }

  private static List<Path> files(Path source) throws IOException {
    if (!Files.isDirectory(source)) {
      return List.of(source);
    }
    try (Stream<Path> all = Files.list(source)) {
      List<Path> files = all.filter(file -> file.toString().endsWith(".csv")).sorted().toList();
      if (files.isEmpty()) {
        throw new MalformedFileException(source, "folder", "no .csv file", "one for each subject");
      }
      return files;
    }
  }

  private static List<ChoiceRow> shots(@Nullable Path source, String subject) throws IOException {
    if (source == null) {
      return List.of();
    }
    Path file = Files.isDirectory(source) ? source.resolve(subject + "_dev.csv") : source;
    List<ChoiceRow> rows =
        Mmlu.read(file).rows().stream()
            .filter(row -> row.subject().equals(subject))
            .limit(SHOTS)
            .toList();
    if (rows.isEmpty()) {
      throw new MalformedFileException(file, "subject", "no question about " + subject, "some");
    }
    return rows;
  }

  /// Encodes prompt and letter together, as a text is: what they have in common is the prompt.
  private static Encoded encoded(Tokenizer tokenizer, String prompt, int answer) {
    List<int[]> all =
        Mmlu.LETTERS.stream().map(letter -> tokenizer.encodeDocument(prompt + letter)).toList();
    int length = all.getFirst().length;
    int[] letters = new int[all.size()];
    for (int i = 0; i < letters.length; i++) {
      int[] ids = all.get(i);
      if (ids.length != length
          || Arrays.mismatch(ids, 0, length - 1, all.getFirst(), 0, length - 1) >= 0) {
        throw new IllegalArgumentException(
            "mmlu: found letters of several tokens, expected a tokenizer that has one for each");
      }
      letters[i] = ids[length - 1];
    }
    return new Encoded(Arrays.copyOf(all.getFirst(), length - 1), letters, answer);
  }

  private static Encoded shortened(Encoded row, int over, Tokenizer tokenizer) {
    int kept = tokenizer.beginsDocuments() ? 1 : 0;
    int[] prompt = Arrays.copyOf(row.prompt, row.prompt.length - over);
    System.arraycopy(row.prompt, kept + over, prompt, kept, prompt.length - kept);
    return new Encoded(prompt, row.letters, row.answer);
  }

  /// A file of questions.
  private record Choices(Dataset examples, List<Encoded> rows) implements TaskSet {
    @Override
    public TaskScores scores(
        Dataset some, Evaluation evaluation, Transformer model, PassAddition addition) {
      if (!(model instanceof CausalLm lm)) {
        throw new IllegalArgumentException(
            "mmlu: found a " + model.modelType() + ", expected a language model");
      }
      List<Encoded> asked = some.examples().stream().map(e -> rows.get(e.document())).toList();
      double[][] probabilities =
          asked.stream().map(row -> probabilities(lm, addition, row)).toArray(double[][]::new);
      int[] answers = asked.stream().mapToInt(Encoded::answer).toArray();
      Map<String, Double> metrics = new LinkedHashMap<>();
      metrics.put("accuracy", accuracy(probabilities, answers));
      Calibration calibration = Calibration.of(probabilities, answers, BINS);
      metrics.put("ece", calibration.error());
      metrics.put("brier", Calibration.brier(probabilities, answers));
      return new TaskScores(metrics, calibration);
    }

    private static double accuracy(double[][] probabilities, int[] answers) {
      int[] chosen = new int[answers.length];
      for (int i = 0; i < chosen.length; i++) {
        for (int letter = 1; letter < probabilities[i].length; letter++) {
          chosen[i] = probabilities[i][letter] > probabilities[i][chosen[i]] ? letter : chosen[i];
        }
      }
      return dev.gatun.models.metrics.Classification.accuracy(chosen, answers);
    }

    /// Returns the probabilities of the letters among each other.
    private static double[] probabilities(CausalLm model, PassAddition addition, Encoded row) {
      Batch batch = Batch.of(List.of(new Example(0, 0, row.prompt, null)), 0);
      try (Scope scope = Scope.open(model.device())) {
        ForwardPass pass =
            addition
                .join(ForwardPass.of(scope, model, batch.ids(), batch.offsets()), batch.tokens())
                .build();
        Tensor hidden = model.hidden(scope, pass, false);
        Tensor last = Layout.narrow(scope, hidden, 0, batch.tokens() - 1L, 1);
        Tensor logits = Layout.to(scope, model.logits(scope, last, pass), DType.F64);
        long[] letters = Arrays.stream(row.letters).asLongStream().toArray();
        Tensor picked = Layout.gather(scope, logits, scope.of(letters, 1, letters.length));
        return Norm.softmax(scope, picked).toDoubles();
      }
    }
  }
}
