package dev.gatun.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.data.StreamingDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class HfTokenizerTest {
  static final Path FIXTURES = Path.of("src", "test", "resources", "tokenizers");

  @TempDir Path folder;

  @Test
  void givesWhatHuggingFacesPythonGives() throws IOException {
    JsonNode cases =
        new JsonMapper().readTree(Files.readString(FIXTURES.resolve("cases.json"))).get("cases");
    assertThat(cases.size()).isEqualTo(21);
    for (JsonNode c : cases) {
      String name = c.get("tokenizer").stringValue();
      try (HfTokenizer tokenizer = HfTokenizer.open(FIXTURES.resolve(name))) {
        String text = c.get("text").stringValue();
        int[] ids = ints(c.get("ids"));
        assertThat(tokenizer.encode(text)).as("%s: %s", name, text).isEqualTo(ids);
        SpanTokenizer.Spans spans = tokenizer.encodeSpans(text);
        assertThat(spans.ids()).isEqualTo(ids);
        for (int i = 0; i < ids.length; i++) {
          JsonNode offsets = c.get("offsets").get(i);
          int start = text.offsetByCodePoints(0, offsets.get(0).intValue());
          int end = text.offsetByCodePoints(0, offsets.get(1).intValue());
          assertThat(spans.starts()[i]).as("%s: %s, token %d", name, text, i).isEqualTo(start);
          assertThat(spans.ends()[i]).as("%s: %s, token %d", name, text, i).isEqualTo(end);
        }
        assertThat(tokenizer.decode(ids, true)).isEqualTo(c.get("decoded").stringValue());
        assertThat(tokenizer.decode(ids, false))
            .isEqualTo(c.get("decodedWithoutSpecial").stringValue());
        if (!name.equals("wordpiece")) {
          assertThat(tokenizer.encodeDocument(text)).isEqualTo(ints(c.get("documentIds")));
        }
      }
    }
  }

  @Test
  void knowsItsSpecialTokens() throws IOException {
    try (HfTokenizer bpe = HfTokenizer.open(FIXTURES.resolve("bpe"));
        HfTokenizer wordpiece = HfTokenizer.open(FIXTURES.resolve("wordpiece"))) {
      assertThat(bpe.bosId()).hasValue(0);
      assertThat(bpe.eosId()).hasValue(1);
      assertThat(bpe.padId()).isEmpty();
      assertThat(bpe.beginsDocuments()).isTrue();
      assertThat(bpe.vocabularySize()).isEqualTo(400);
      assertThat(wordpiece.bosId()).isEmpty();
      assertThat(wordpiece.padId()).hasValue(3);
      assertThat(wordpiece.beginsDocuments()).isFalse();
    }
  }

  @Test
  void theFlagWinsOverThePostProcessorAndTheConfigurationComesLast() throws IOException {
    Files.copy(FIXTURES.resolve("bpe/tokenizer.json"), folder.resolve("tokenizer.json"));
    write("config.json", "{\"bos_token_id\": 7, \"eos_token_id\": [1, 9], \"pad_token_id\": -1}");
    assertSpecial(7, 1, OptionalInt.empty(), false);
    write(
        "special_tokens_map.json",
        "{\"bos_token\": \"<s>\", \"pad_token\": {\"content\": \"</s>\"}}");
    assertSpecial(0, 1, OptionalInt.of(1), true);
    write("tokenizer_config.json", "{\"add_bos_token\": false, \"eos_token\": \"!\"}");
    assertSpecial(0, 2, OptionalInt.of(1), false);
  }

  private void assertSpecial(int bos, int eos, OptionalInt pad, boolean begins) throws IOException {
    try (HfTokenizer tokenizer = HfTokenizer.open(folder)) {
      assertThat(tokenizer.bosId()).hasValue(bos);
      assertThat(tokenizer.eosId()).hasValue(eos);
      assertThat(tokenizer.padId()).isEqualTo(pad);
      assertThat(tokenizer.beginsDocuments()).isEqualTo(begins);
    }
  }

  @Test
  void storedTruncationAndPaddingHaveNoEffect() throws IOException {
    for (String name : List.of("bpe", "unigram", "wordpiece")) {
      Path file = FIXTURES.resolve(name, "tokenizer.json");
      assertThat(Files.readString(file)).contains("\"max_length\":4").contains("\"Fixed\":16");
      try (HfTokenizer tokenizer = HfTokenizer.open(FIXTURES.resolve(name))) {
        assertThat(tokenizer.encode("license ".repeat(2000)).length).isGreaterThanOrEqualTo(2000);
        assertThat(tokenizer.encode("")).isEmpty();
      }
    }
  }

  @Test
  void streamsWhatItDecodesAtOnce() throws IOException {
    String text = "été 漢字 🚀 the License\n  and  more";
    for (String name : List.of("bpe", "unigram")) {
      try (HfTokenizer tokenizer = HfTokenizer.open(FIXTURES.resolve(name))) {
        StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        StringBuilder streamed = new StringBuilder();
        for (int id : tokenizer.encodeDocument(text)) {
          String piece = decoder.next(id);
          assertThat(piece).doesNotContain("\ufffd");
          streamed.append(piece);
        }
        assertThat(streamed.append(decoder.finish())).hasToString(text);
      }
    }
  }

  @Test
  void strangeStringsDoNotHarm() throws IOException {
    try (HfTokenizer tokenizer = HfTokenizer.open(FIXTURES.resolve("bpe"))) {
      for (String text : List.of("\ud83d", "a\udc00b", "\0\0", "\uffff\ufffe", "\u202e")) {
        assertThat(tokenizer.encode(text)).isNotEmpty();
      }
      assertThatThrownBy(() -> tokenizer.encodeSpans("a\udc00b"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("half a surrogate pair");
      assertThat(tokenizer.decode(tokenizer.encode("x\0y"), false)).isEqualTo("x\0y");
      assertThat(tokenizer.decode(new int[0], true)).isEmpty();
      assertThatThrownBy(() -> tokenizer.decode(new int[] {0, 400}, true))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("found id 400, expected one from 0 to 399");
      assertThatThrownBy(() -> tokenizer.decode(new int[] {-1}, true))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void manyThreadsShareOneAndMayFindItClosed() throws Exception {
    String text = "int x = 12345; // été 漢字 🚀\n".repeat(50);
    HfTokenizer tokenizer = HfTokenizer.open(FIXTURES.resolve("bpe"));
    int[] expected = tokenizer.encode(text);
    Callable<Boolean> work =
        () -> {
          try {
            for (int i = 0; i < 1_000_000; i++) {
              if (!Arrays.equals(tokenizer.encode(text), expected)) {
                return false;
              }
            }
            return false;
          } catch (IllegalStateException e) {
            return String.valueOf(e.getMessage()).endsWith("the tokenizer is closed");
          }
        };
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Boolean>> results = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        results.add(threads.submit(work));
      }
      Thread.sleep(300);
      tokenizer.close();
      tokenizer.close();
      for (Future<Boolean> result : results) {
        assertThat(result.get()).isTrue();
      }
    }
  }

  @Test
  void loadingLeavesTheProcessAsItWas() throws IOException {
    Map<String, String> before = new HashMap<>();
    System.getProperties().forEach((k, v) -> before.put((String) k, (String) v));
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    HfTokenizer.open(FIXTURES.resolve("bpe")).close();
    assertThat(System.getProperties()).containsAllEntriesOf(before);
    assertThat(System.getProperties())
        .doesNotContainKeys("ai.djl.offline", "RUST_FLAVOR", "ENGINE_CACHE_DIR");
    assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(context);
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).intValue();
    }
    return values;
  }
}
