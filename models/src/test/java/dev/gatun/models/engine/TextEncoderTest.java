package dev.gatun.models.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Embeddings against transformers, alone and in company, and what ends or refuses them.
@ExtendWith(NothingLeft.class)
class TextEncoderTest {
  private static final EncoderOptions SMALL = new EncoderOptions(64, 128, 1);

  @SuppressWarnings("MustBeClosedChecker") // callers close it
  private static TextEncoder open(String name, EmbeddingSettings settings, EncoderOptions options)
      throws IOException {
    return TextEncoder.open(
        ModelDirectory.read(Parity.model(name)), TestDevice.DEVICE, DType.F32, settings, options);
  }

  private static List<int[]> texts(int count, int longest, long seed) {
    Random random = new Random(seed);
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      texts.add(random.ints(1 + random.nextInt(longest), 5, 60).toArray());
    }
    return texts;
  }

  private static double[] unit(double[] vector) {
    double length = Math.sqrt(Arrays.stream(vector).map(x -> x * x).sum());
    return Arrays.stream(vector).map(x -> x / length).toArray();
  }

  private static double[] wide(float... values) {
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }

  private static void assertClose(float[][] found, float[][] expected, double tolerance) {
    assertThat(found).hasSameDimensionsAs(expected);
    for (int i = 0; i < found.length; i++) {
      for (int j = 0; j < found[i].length; j++) {
        assertThat(found[i][j])
            .as("text %d, element %d", i, j)
            .isCloseTo(expected[i][j], within((float) tolerance));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "deberta-v3", "deberta-c2p"})
  void embeddingsEqualThoseOfTransformers(String name) throws IOException {
    SafetensorsFile cases = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    SafetensorsFile expected = Parity.open(Parity.model(name).resolve("embeddings.safetensors"));
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      texts.add(Parity.ints(cases, "ids." + i));
    }
    for (Pooling pooling : Pooling.values()) {
      for (boolean normalised : new boolean[] {false, true}) {
        try (TextEncoder encoder =
            open(name, new EmbeddingSettings(pooling, normalised, 0), SMALL)) {
          assertThat(encoder.dimension()).isEqualTo(24);
          float[][] found = encoder.embed(texts);
          for (int i = 0; i < 3; i++) {
            double[] reference =
                Parity.doubles(expected, pooling.name().toLowerCase(Locale.ROOT) + "." + i);
            assertThat(Parity.distance(wide(found[i]), normalised ? unit(reference) : reference))
                .as("%s, text %d", pooling, i)
                .isLessThan(1e-5);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "deberta-v3"})
  void aTextHasTheSameEmbeddingInAnyCompany(String name) throws IOException {
    List<int[]> texts = texts(40, 36, 1);
    try (TextEncoder encoder = open(name, EmbeddingSettings.DEFAULT, SMALL)) {
      float[][] alone = new float[texts.size()][];
      for (int i = 0; i < alone.length; i++) {
        alone[i] = encoder.embed(List.of(texts.get(i)))[0];
      }
      assertClose(encoder.embed(texts), alone, 1e-6);
    }
  }

  @Test
  void callersOfManyThreadsGetTheirOwn() throws Exception {
    List<List<int[]>> calls = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      calls.add(texts(1 + i % 7, 36, i));
    }
    try (TextEncoder encoder = open("roberta", EmbeddingSettings.DEFAULT, SMALL);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<float[][]> alone = calls.stream().map(encoder::embed).toList();
      List<Future<float[][]>> all = new ArrayList<>();
      for (List<int[]> call : calls) {
        all.add(threads.submit(() -> encoder.embed(call)));
      }
      for (int i = 0; i < all.size(); i++) {
        assertClose(all.get(i).get(), alone.get(i), 1e-6);
      }
    }
  }

  @Test
  void closingEndsCallsThatWait() throws Exception {
    List<int[]> many = texts(400, 36, 1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      TextEncoder encoder = open("roberta", EmbeddingSettings.DEFAULT, SMALL);
      List<Future<float[][]>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(threads.submit(() -> encoder.embed(many)));
      }
      encoder.embed(List.of(many.getFirst())); // the passes have begun
      encoder.close();
      encoder.close();
      int ended = 0;
      for (Future<float[][]> each : all) {
        try {
          assertThat(each.get()).hasNumberOfRows(400);
        } catch (java.util.concurrent.ExecutionException e) {
          assertThat(e.getCause())
              .isInstanceOfSatisfying(
                  EngineException.class,
                  cause -> assertThat(cause.kind()).isEqualTo(EngineException.Kind.CLOSED));
          ended++;
        }
      }
      assertThat(ended).isPositive();
      assertThatThrownBy(() -> encoder.embed(List.of(many.getFirst())))
          .hasMessage("the encoder is closed");
    }
  }

  @Test
  void aLongCallDoesNotHoldUpAShortOne() throws Exception {
    List<int[]> many = texts(3000, 36, 1);
    try (TextEncoder encoder = open("roberta", EmbeddingSettings.DEFAULT, SMALL);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<float[][]> all = threads.submit(() -> encoder.embed(many));
      for (int i = 0; i < 20; i++) {
        assertThat(encoder.embed(List.of(many.get(i)))).hasNumberOfRows(1);
      }
      assertThat(all.isDone()).isFalse();
      assertThat(all.get()).hasNumberOfRows(3000);
    }
  }

  @Test
  void tooManyCallsAreRefused() throws Exception {
    List<int[]> many = texts(2000, 36, 1);
    EncoderOptions one = new EncoderOptions(64, 1, 1);
    try (TextEncoder encoder = open("roberta", EmbeddingSettings.DEFAULT, one);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<float[][]>> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(threads.submit(() -> encoder.embed(many)));
      }
      int refused = 0;
      for (Future<float[][]> each : all) {
        try {
          each.get();
        } catch (java.util.concurrent.ExecutionException e) {
          assertThat(e.getCause().getMessage()).startsWith("queue: found 1 calls that wait");
          refused++;
        }
      }
      assertThat(refused).isBetween(1, 3);
    }
  }

  @Test
  void textsThatDoNotFitAreRefused() throws IOException {
    try (TextEncoder encoder =
        open("roberta", new EmbeddingSettings(Pooling.MEAN, true, 12), SMALL)) {
      assertThat(encoder.maxTokens()).isEqualTo(12);
      assertThat(encoder.embed(List.of())).isEmpty();
      assertThatThrownBy(() -> encoder.embed(List.of(new int[] {7}, new int[13])))
          .isInstanceOf(ShapeException.class)
          .hasMessage("text 1: found 13 ids, expected 1 to 12");
      assertThatThrownBy(() -> encoder.embed(List.of(new int[0])))
          .hasMessage("text 0: found 0 ids, expected 1 to 12");
      assertThatThrownBy(() -> encoder.embed(List.of(new int[] {60})))
          .hasMessage("text 0: found id 60, expected 0 to 59");
    }
    assertThatThrownBy(() -> open("llama", EmbeddingSettings.DEFAULT, SMALL))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("expected an encoder");
  }

  private static Path sentences(Path directory, String modules, String pooling, String more)
      throws IOException {
    Files.createDirectories(directory.resolve("1_Pooling"));
    Files.writeString(directory.resolve("modules.json"), modules.replace('\'', '"'));
    Files.writeString(directory.resolve("1_Pooling/config.json"), pooling.replace('\'', '"'));
    Files.writeString(directory.resolve("sentence_bert_config.json"), more.replace('\'', '"'));
    return directory;
  }

  private static final String PLAIN =
      "[{'idx': 0, 'name': '0', 'path': '', 'type': 'sentence_transformers.models.Transformer'},"
          + "{'idx': 1, 'name': '1', 'path': '1_Pooling', 'type':"
          + " 'sentence_transformers.models.Pooling'}";

  @Test
  void settingsOfSentenceTransformersAreRead(@TempDir Path directory) throws IOException {
    assertThat(EmbeddingSettings.read(directory)).isEqualTo(EmbeddingSettings.DEFAULT);
    String normalise =
        ", {'idx': 2, 'name': '2', 'path': '2_Normalize', 'type':"
            + " 'sentence_transformers.models.Normalize'}]";
    sentences(
        directory,
        PLAIN + normalise,
        "{'word_embedding_dimension': 24, 'pooling_mode_cls_token': true,"
            + " 'pooling_mode_mean_tokens': false}",
        "{'max_seq_length': 128, 'do_lower_case': false}");
    assertThat(EmbeddingSettings.read(directory))
        .isEqualTo(new EmbeddingSettings(Pooling.FIRST, true, 128));
    sentences(directory, PLAIN + "]", "{'pooling_mode_lasttoken': true}", "{}");
    assertThat(EmbeddingSettings.read(directory))
        .isEqualTo(new EmbeddingSettings(Pooling.LAST, false, Integer.MAX_VALUE));
    sentences(directory, PLAIN + "]", "{'pooling_mode': 'mean'}", "{'max_seq_length': 9}");
    assertThat(EmbeddingSettings.read(directory))
        .isEqualTo(new EmbeddingSettings(Pooling.MEAN, false, 9));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | {} | {} | an object, expected a list",
        "[] | {} | {} | no Pooling",
        "[{'type': 'x.Dense', 'path': '2_Dense'}] | {} | {} | 'x.Dense', expected Transformer",
        "[{'type': 'x.Transformer', 'path': '0_T'}] | {} | {} | '0_T' of the model",
        "P | {'pooling_mode_max_tokens': true} | {} | pooling_mode_max_tokens",
        "P | {'pooling_mode_cls_token': true, 'pooling_mode_mean_tokens': true} | {} | one pooling",
        "P | {} | {} | pooling_mode",
        "P | {'pooling_mode_mean_tokens': 1} | {} | true or false",
        "P | {'pooling_mode_mean_tokens': true, 'include_prompt': false} | {} | include_prompt",
        "P | {'pooling_mode_mean_tokens': true} | {'do_lower_case': true} | do_lower_case",
        "P | {'pooling_mode_mean_tokens': true} | {'max_seq_length': 0} | max_seq_length",
      })
  void whatWouldChangeEmbeddingsIsRefused(
      String modules, String pooling, String more, String named, @TempDir Path directory)
      throws IOException {
    sentences(directory, modules.equals("P") ? PLAIN + "]" : modules, pooling, more);
    assertThatThrownBy(() -> EmbeddingSettings.read(directory))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining(named);
  }

  @Test
  void aPromptBeforeEachTextIsRefused(@TempDir Path directory) throws IOException {
    sentences(directory, PLAIN + "]", "{'pooling_mode_mean_tokens': true}", "{}");
    Files.writeString(
        directory.resolve("config_sentence_transformers.json"),
        "{\"prompts\": {\"query\": \"q: \"}, \"default_prompt_name\": \"query\"}");
    assertThatThrownBy(() -> EmbeddingSettings.read(directory))
        .hasMessageContaining("default_prompt_name");
  }
}
