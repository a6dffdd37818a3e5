package dev.gatun.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.chat.LocalClassifier.Score;
import dev.gatun.chat.LocalClassifier.Scores;
import dev.gatun.chat.LocalClassifier.Text;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.models.engine.Pooling;
import dev.gatun.models.engine.TextClassifier;
import dev.gatun.models.engine.TextEncoder;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.train.Evaluation.Average;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Texts as strings: special tokens, lengths, labels. Numbers are the business of `models`' tests.
class LocalEncoderTest {
  private static final Path PARITY = Path.of("../models/src/test/resources/parity");
  private static final Path TOKENIZER = Path.of("../cli/src/test/resources/tasks/tokenizer.json");

  @TempDir private Path directory;
  private long live;

  @BeforeEach
  void count() {
    live = NativeMemory.liveTensors();
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
  }

  private Path model(String name) throws IOException {
    Path target = Files.createDirectories(directory.resolve(name));
    try (Stream<Path> files = Files.list(PARITY.resolve(name))) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    Files.copy(TOKENIZER, target.resolve("tokenizer.json"));
    return target;
  }

  @Test
  void textsAreEmbeddedBetweenSpecialTokens() throws IOException {
    Path model = model("roberta");
    try (LocalEncoder encoder = LocalEncoder.open(model, Device.CPU, DType.F32);
        TextEncoder ids =
            TextEncoder.open(
                ModelDirectory.read(model),
                Device.CPU,
                DType.F32,
                encoder.settings(),
                EncoderOptions.DEFAULT)) {
      assertThat(encoder.name()).isEqualTo("roberta");
      assertThat(encoder.dimension()).isEqualTo(24);
      assertThat(encoder.tokens(List.of("the cat is good", ""))).isEqualTo(6 + 2);
      float[][] found = encoder.embed(List.of("the cat is good", ""));
      float[][] expected = ids.embed(List.of(new int[] {0, 8, 6, 10, 4, 2}, new int[] {0, 2}));
      assertThat(found[0]).containsExactly(expected[0], within(1e-6f));
      assertThat(found[1]).containsExactly(expected[1], within(1e-6f));
    }
  }

  @Test
  void longTextsAreCutAsSentenceTransformersDoes() throws IOException {
    Path model = model("roberta");
    Files.createDirectories(model.resolve("1_Pooling"));
    Files.writeString(
        model.resolve("modules.json"),
        """
        [{"path": "", "type": "sentence_transformers.models.Transformer"},
         {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        """);
    Files.writeString(model.resolve("1_Pooling/config.json"), "{\"pooling_mode_cls_token\": true}");
    Files.writeString(model.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 5}");
    try (LocalEncoder encoder = LocalEncoder.open(model, Device.CPU, DType.F32)) {
      assertThat(encoder.settings().pooling()).isEqualTo(Pooling.FIRST);
      assertThat(encoder.maxTokens()).isEqualTo(5);
      float[][] both = encoder.embed(List.of("the cat is good", "the cat is"));
      assertThat(both[0]).containsExactly(both[1], within(1e-6f));
      assertThat(encoder.tokens(List.of("the cat is good"))).isEqualTo(5);
      assertThat(encoder.isCut("the cat is good")).isTrue();
      assertThat(encoder.isCut("the cat is")).isFalse();
    }
  }

  @Test
  void scoresHaveTheLabelsOfTheConfig() throws IOException {
    Path model = model("roberta");
    try (LocalClassifier classifier = LocalClassifier.open(model, Device.CPU, DType.F32)) {
      assertThat(classifier.labels()).containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
      assertThat(classifier.kind()).isEqualTo(TextClassifier.Kind.ONE_LABEL);
      List<Scores> all =
          classifier.classifyTexts(
              List.of(new Text("the cat is good", null), new Text("the cat", "a dog is here")));
      for (Scores scores : all) {
        assertThat(scores.all()).extracting(Score::label).isEqualTo(classifier.labels());
        assertThat(scores.all().stream().mapToDouble(Score::score).sum())
            .isCloseTo(1, within(1e-6));
        assertThat(scores.all())
            .allSatisfy(s -> assertThat(s.score()).isLessThanOrEqualTo(scores.best().score()));
      }
      assertThat(classifier.classify(List.of("the cat is good")).getFirst().best().score())
          .isCloseTo(all.getFirst().best().score(), within(1e-6f));
      // <s> the cat </s></s> a dog is here </s>
      assertThat(classifier.tokens(List.of(new Text("the cat", "a dog is here")))).isEqualTo(10);
      assertThat(classifier.isCut(new Text("the cat", "a dog is here"))).isFalse();
      assertThat(classifier.isCut(new Text("the cat", "dog ".repeat(40)))).isTrue();
    }
  }

  @Test
  void anAdaptersEnsembleGivesOtherScores() throws IOException {
    Path model = model("roberta");
    Path adapter = PARITY.resolve("roberta/adapters/all-linear");
    AdapterEnsemble ensemble = new AdapterEnsemble(0.3, 4, 1, Average.PROBABILITIES);
    try (LocalClassifier plain =
            LocalClassifier.open(
                model, adapter, null, Device.CPU, DType.F32, EncoderOptions.DEFAULT);
        LocalClassifier many =
            LocalClassifier.open(
                model, adapter, ensemble, Device.CPU, DType.F32, EncoderOptions.DEFAULT)) {
      List<String> text = List.of("the cat is good");
      float one = plain.classify(text).getFirst().best().score();
      assertThat(many.classify(text).getFirst().best().score()).isNotCloseTo(one, within(1e-3f));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    Path model = model("roberta");
    Files.delete(model.resolve("tokenizer.json"));
    assertThatThrownBy(() -> LocalEncoder.open(model, Device.CPU, DType.F32))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("tokenizer.json");
    assertThatThrownBy(() -> LocalEncoder.open(PARITY.resolve("llama"), Device.CPU, DType.F32))
        .isInstanceOf(IOException.class);
    Path decoder = model("llama");
    assertThatThrownBy(() -> LocalEncoder.open(decoder, Device.CPU, DType.F32))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("expected an encoder");
    assertThatThrownBy(() -> LocalClassifier.open(decoder, Device.CPU, DType.F32))
        .hasMessageContaining("ForSequenceClassification");
  }
}
