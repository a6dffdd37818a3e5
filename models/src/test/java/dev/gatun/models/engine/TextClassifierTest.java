package dev.gatun.models.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TaskCases;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.train.Evaluation.Average;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Classes and numbers of texts against transformers and peft, and ensembles against those of an
/// evaluation.
@ExtendWith(NothingLeft.class)
class TextClassifierTest {
  private static final EncoderOptions SMALL = new EncoderOptions(64, 128, 1);

  @SuppressWarnings("MustBeClosedChecker") // callers close it
  private static TextClassifier open(
      Path directory, @Nullable Path adapter, @Nullable AdapterEnsemble ensemble)
      throws IOException {
    return TextClassifier.open(
        ModelDirectory.read(directory), adapter, ensemble, TestDevice.DEVICE, DType.F32, SMALL);
  }

  private static Path adapter(String name) {
    return Parity.model(name).resolve("adapters/all-linear");
  }

  /// Copies a model with a change of its config, and without some of its files.
  private static Path changed(String name, Path target, String from, String to) throws IOException {
    try (Stream<Path> files = Files.list(Parity.model(name))) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    Path config = target.resolve("config.json");
    String text = Files.readString(config);
    assertThat(text).contains(from);
    Files.writeString(config, text.replace(from, to));
    return target;
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "deberta-v3", "gpt2-score", "llama-score"})
  void probabilitiesAreTheSoftmaxOfTransformersLogits(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    try (TextClassifier classifier = open(Parity.model(name), null, null)) {
      assertThat(classifier.kind()).isEqualTo(TextClassifier.Kind.ONE_LABEL);
      assertThat(classifier.labels()).containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
      float[][] scores = classifier.scores(cases.rows());
      for (int i = 0; i < 3; i++) {
        double[] logits = cases.expected("outputs64." + i);
        double sum = 0;
        for (double logit : logits) {
          sum += Math.exp(logit);
        }
        for (int k = 0; k < 3; k++) {
          assertThat((double) scores[i][k]).isCloseTo(Math.exp(logits[k]) / sum, within(1e-5));
        }
      }
    }
  }

  @Test
  void aRegressionGivesItsNumber() throws IOException {
    TaskCases cases = TaskCases.read("xlm-roberta");
    try (TextClassifier classifier = open(Parity.model("xlm-roberta"), null, null)) {
      assertThat(classifier.kind()).isEqualTo(TextClassifier.Kind.REGRESSION);
      float[][] scores = classifier.scores(cases.rows());
      for (int i = 0; i < 3; i++) {
        assertThat((double) scores[i][0])
            .isCloseTo(cases.expected("outputs64." + i)[0], within(1e-5));
      }
    }
  }

  @Test
  void labelsThatDoNotExcludeEachOtherHaveProbabilitiesOfTheirOwn(@TempDir Path directory)
      throws IOException {
    TaskCases cases = TaskCases.read("roberta");
    Path model =
        changed(
            "roberta",
            directory,
            "\"pad_token_id\"",
            "\"problem_type\": \"multi_label_classification\", \"pad_token_id\"");
    try (TextClassifier classifier = open(model, null, null)) {
      assertThat(classifier.kind()).isEqualTo(TextClassifier.Kind.MULTI_LABEL);
      float[][] scores = classifier.scores(cases.rows());
      for (int i = 0; i < 3; i++) {
        double[] logits = cases.expected("outputs64." + i);
        for (int k = 0; k < 3; k++) {
          assertThat((double) scores[i][k]).isCloseTo(1 / (1 + Math.exp(-logits[k])), within(1e-5));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "deberta-v3", "llama-score"})
  void anAdapterWithItsHeadGivesItsOutputs(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    SafetensorsFile expected = Parity.open(adapter(name).resolve("expected.safetensors"));
    try (TextClassifier classifier = open(Parity.model(name), adapter(name), null)) {
      float[][] logits = classifier.logits(cases.rows());
      for (int i = 0; i < 3; i++) {
        double[] outputs = Parity.doubles(expected, "outputs." + i);
        for (int k = 0; k < outputs.length; k++) {
          assertThat((double) logits[i][k]).isCloseTo(outputs[k], within(1e-5));
        }
      }
    }
  }

  /// DeBERTa cannot mix adapters in a pass; its draws go one after the other.
  @ParameterizedTest
  @CsvSource({
    "roberta, LOGITS",
    "roberta, PROBABILITIES",
    "xlm-roberta, PROBABILITIES",
    "deberta-v3, PROBABILITIES",
    "llama-score, LOGITS"
  })
  void anEnsembleInOnePassIsThatOfAnEvaluation(String name, Average average) throws IOException {
    TaskCases cases = TaskCases.read(name);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      SequenceLabel label =
          name.equals("xlm-roberta")
              ? new SequenceLabel.Quantity(0)
              : new SequenceLabel.Category(0);
      examples.add(Example.labelled(i, i, cases.ids(i), label));
    }
    List<float[]> expected;
    try (TaskModel model = cases.open(DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      expected =
          Evaluation.ensemble(
                  model,
                  LoraAdapter.load(scope, model, adapter(name)),
                  new Dataset(examples, 0, 0),
                  Dropout.loraDropout(0.3, 5),
                  17,
                  average,
                  done -> {})
              .outputs();
    }
    AdapterEnsemble ensemble = new AdapterEnsemble(0.3, 5, 17, average);
    try (TextClassifier one = open(Parity.model(name), adapter(name), null);
        TextClassifier many = open(Parity.model(name), adapter(name), ensemble)) {
      float[][] plain = one.logits(cases.rows());
      float[][] found = many.logits(cases.rows());
      double farthest = 0;
      for (int i = 0; i < 3; i++) {
        for (int k = 0; k < found[i].length; k++) {
          assertThat(found[i][k]).isCloseTo(expected.get(i)[k], within(1e-5f));
          farthest = Math.max(farthest, Math.abs(found[i][k] - plain[i][k]));
        }
      }
      assertThat(farthest).isGreaterThan(0.01);
    }
  }

  @Test
  void callersOfManyThreadsGetTheirOwn() throws Exception {
    TaskCases cases = TaskCases.read("roberta");
    AdapterEnsemble ensemble = new AdapterEnsemble(0.2, 3, 1, Average.PROBABILITIES);
    try (TextClassifier classifier = open(Parity.model("roberta"), adapter("roberta"), ensemble);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      float[][] alone = new float[3][];
      for (int i = 0; i < 3; i++) {
        alone[i] = classifier.scores(List.of(cases.ids(i)))[0];
      }
      List<Future<float[][]>> all = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        List<int[]> call = i % 2 == 0 ? cases.rows() : List.of(cases.ids(i % 3));
        all.add(threads.submit(() -> classifier.scores(call)));
      }
      for (int i = 0; i < 50; i++) {
        float[][] scores = all.get(i).get();
        for (int r = 0; r < scores.length; r++) {
          assertThat(scores[r]).containsExactly(alone[i % 2 == 0 ? r : i % 3], within(1e-6f));
        }
      }
    }
  }

  @Test
  void whatIsNoClassifierIsRefused(@TempDir Path directory) throws IOException {
    assertThatThrownBy(() -> open(Parity.model("roberta-qa"), null, null))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("a model ForSequenceClassification");
    assertThatThrownBy(() -> open(Parity.model("llama"), null, null))
        .hasMessageContaining("a model ForSequenceClassification");
    AdapterEnsemble ensemble = new AdapterEnsemble(0.2, 3, 1, Average.LOGITS);
    assertThatThrownBy(() -> open(Parity.model("roberta"), null, ensemble))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("ensemble: found no adapter, expected an adapter of the LoRA family");
    assertThatThrownBy(() -> new AdapterEnsemble(0, 3, 1, Average.LOGITS))
        .hasMessageContaining("rate: found 0.0");
    // a checkpoint without the head, which an adapter may bring
    Path bare =
        changed(
            "roberta-qa",
            directory,
            "RobertaForQuestionAnswering",
            "RobertaForSequenceClassification");
    assertThatThrownBy(() -> open(bare, null, null))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("no classifier.dense.weight");
  }
}
