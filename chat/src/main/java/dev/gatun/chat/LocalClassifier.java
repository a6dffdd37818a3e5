package dev.gatun.chat;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.models.engine.EngineException;
import dev.gatun.models.engine.TextClassifier;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.task.TextInput;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A model directory with a head for sequences opened for classes or numbers of texts: the model,
/// its adapter, its tokenizer, and what batches the texts of all callers. Thread-safe.
///
/// A text or pair of more tokens than the model has positions is cut as in training: at its end, of
/// a pair the longer one first.
public final class LocalClassifier implements AutoCloseable {
  /// One or two texts.
  ///
  /// @param first a text
  /// @param second the other of a pair, or null
  public record Text(String first, @Nullable String second) {}

  /// A label of a text, or the name of a regression's number.
  ///
  /// @param label its name in config.json's `id2label`
  /// @param score its probability, or the number
  public record Score(String label, float score) {}

  /// What a model says of a text.
  ///
  /// @param all a score of each label, in the labels' order
  public record Scores(List<Score> all) {
    /// Copies the list.
    public Scores {
      all = List.copyOf(all);
    }

    /// {@return the label with the highest score}
    public Score best() {
      return all.stream().max(Comparator.comparingDouble(Score::score)).orElseThrow();
    }
  }

  private final String name;
  private final HfTokenizer tokenizer;
  private final TextInput input;
  private final TextClassifier classifier;

  private LocalClassifier(
      String name, HfTokenizer tokenizer, TextInput input, TextClassifier classifier) {
    this.name = name;
    this.tokenizer = tokenizer;
    this.input = input;
    this.classifier = classifier;
  }

  /// Opens a directory without an adapter, with the usual limits.
  ///
  /// @param directory a Hugging Face directory of a model with a head for sequences, with a
  ///   `tokenizer.json`
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @return the classifier, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or they do not fit together
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  public static LocalClassifier open(Path directory, Device device, DType compute)
      throws IOException {
    return open(directory, null, null, device, compute, EncoderOptions.DEFAULT);
  }

  /// Opens a directory.
  ///
  /// @param directory a Hugging Face directory of a model with a head for sequences, with a
  ///   `tokenizer.json`
  /// @param adapter an adapter directory, with the head that was trained with it; or null
  /// @param ensemble draws of the adapter's masks to average over, or null
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @param options the limits
  /// @return the classifier, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or they do not fit together
  /// @throws IllegalArgumentException if there is an ensemble of no adapter, or of one that is not
  ///   of the LoRA family
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed with what is returned
  public static LocalClassifier open(
      Path directory,
      @Nullable Path adapter,
      @Nullable AdapterEnsemble ensemble,
      Device device,
      DType compute,
      EncoderOptions options)
      throws IOException {
    ModelDirectory read = ModelDirectory.read(directory);
    HfTokenizer tokenizer = HfTokenizer.open(directory);
    TextClassifier classifier = null;
    try {
      classifier = TextClassifier.open(read, adapter, ensemble, device, compute, options);
      TextInput input = input(directory, tokenizer, classifier.isCausal(), classifier.vocabulary());
      String name = String.valueOf(directory.toAbsolutePath().normalize().getFileName());
      return new LocalClassifier(name, tokenizer, input, classifier);
    } catch (IOException | RuntimeException e) {
      if (classifier != null) {
        classifier.close();
      }
      tokenizer.close();
      throw e;
    }
  }

  /// Returns how texts become ids, for a tokenizer that fits the model.
  static TextInput input(Path directory, SpanTokenizer tokenizer, boolean causal, int vocabulary)
      throws MalformedFileException {
    if (tokenizer.vocabularySize() > vocabulary) {
      throw new MalformedFileException(
          directory,
          "tokenizer.json",
          tokenizer.vocabularySize() + " tokens",
          "at most vocab_size = " + vocabulary);
    }
    return TextInput.of(tokenizer, causal);
  }

  /// {@return the directory's own name}
  public String name() {
    return name;
  }

  /// {@return the names of the scores, in their order}
  public List<String> labels() {
    return classifier.labels();
  }

  /// {@return what the scores mean}
  public TextClassifier.Kind kind() {
    return classifier.kind();
  }

  /// {@return tokens of a text or pair at most, special ones included}
  public int maxTokens() {
    return classifier.maxTokens();
  }

  /// {@return whether a text or pair has more tokens than [#maxTokens], so that not all of it has a
  /// part in its scores}
  ///
  /// @param text a text or pair
  public boolean isCut(Text text) {
    return input.ids(text.first(), text.second(), Integer.MAX_VALUE).length > maxTokens();
  }

  /// {@return how many tokens texts have together, special ones included and what is cut left out}
  ///
  /// @param texts texts or pairs
  public int tokens(List<Text> texts) {
    return texts.stream().mapToInt(text -> ids(text).length).sum();
  }

  /// {@return the scores of texts, in their order; waits for them}
  ///
  /// @param texts any texts
  /// @throws EngineException if too many calls wait, the pass fails, or the classifier is closed
  public List<Scores> classify(List<String> texts) {
    return classifyTexts(texts.stream().map(text -> new Text(text, null)).toList());
  }

  /// {@return the scores of texts or pairs, in their order; waits for them}
  ///
  /// @param texts texts or pairs
  /// @throws EngineException if too many calls wait, the pass fails, or the classifier is closed
  public List<Scores> classifyTexts(List<Text> texts) {
    float[][] found = classifier.scores(texts.stream().map(this::ids).toList());
    List<Scores> all = new ArrayList<>();
    for (float[] each : found) {
      List<Score> scores = new ArrayList<>();
      for (int k = 0; k < each.length; k++) {
        scores.add(new Score(labels().get(k), each[k]));
      }
      all.add(new Scores(scores));
    }
    return all;
  }

  private int[] ids(Text text) {
    return input.ids(text.first(), text.second(), maxTokens());
  }

  /// Frees the model after the pass under way; calls that wait end in an [EngineException].
  @Override
  public void close() {
    classifier.close();
    tokenizer.close();
  }
}
