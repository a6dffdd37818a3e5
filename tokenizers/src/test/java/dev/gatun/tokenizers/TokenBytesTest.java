package dev.gatun.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What tokens write, beside what the library makes of texts and of ids.
class TokenBytesTest {
  private static final Path DEMO = Path.of("..", "demo", "model");
  private static final List<String> TEXTS =
      List.of(
          "Licensed under the Apache License, Version 2.0",
          "  two  spaces\n\n\tand a tab \n",
          "int x = 12345; // été 漢字 🚀\r\n",
          "{\"name\": \"日本\", \"tags\": [1, -2.5e3, null]}",
          "nul \0 byte, <tool> <think>ġé 漢",
          "\u00ad\u0100\u0143 \u2581");

  static Stream<Path> keepingAll() {
    return Stream.concat(
        Stream.of("bpe", "unigram", "llama", "chat").map(HfTokenizerTest.FIXTURES::resolve),
        Stream.of(DEMO));
  }

  @ParameterizedTest
  @MethodSource("keepingAll")
  void bytesOfATextsTokensAreTheText(Path directory) throws IOException {
    String source =
        Files.readString(Path.of("src/main/java/dev/gatun/tokenizers/HfTokenizer.java"));
    try (HfTokenizer tokenizer = HfTokenizer.open(directory)) {
      for (String text : Stream.concat(TEXTS.stream(), Stream.of(source)).toList()) {
        String written = written(tokenizer, tokenizer.encode(text));
        if (List.of("unigram", "llama").contains(directory.getFileName().toString())) {
          String blanks = text.replace('▁', ' '); // their sign for a blank
          if (directory.endsWith("llama")) {
            blanks = blanks.replace("<tool>", "<tool> "); // a new text begins behind an added token
          }
          assertThat(written).isIn(blanks, " " + blanks);
        } else {
          assertThat(written).isEqualTo(text);
        }
      }
    }
  }

  @Test
  void bytesOfKnownWordsAreTheText() throws IOException {
    try (HfTokenizer metaspace = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("metaspace"));
        HfTokenizer wordpiece = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("wordpiece"))) {
      String text = "the License and the work of the contributors";
      assertThat(written(metaspace, metaspace.encode(text))).isEqualTo(" " + text);
      assertThat(written(wordpiece, wordpiece.encode(text)))
          .isEqualTo(" the license and the work of the contributors");
    }
  }

  /// Behind another token, each id decodes to the bytes that it is said to write.
  @ParameterizedTest
  @ValueSource(strings = {"bpe", "unigram", "llama", "metaspace", "chat", "wordpiece", "demo"})
  void eachTokenWritesWhatTheLibraryDecodes(String name) throws IOException {
    Path directory = name.equals("demo") ? DEMO : HfTokenizerTest.FIXTURES.resolve(name);
    try (HfTokenizer tokenizer = HfTokenizer.open(directory)) {
      int[] first = tokenizer.encode("the");
      String before = tokenizer.decode(first, false);
      int compared = 0;
      for (int id = 0; id < tokenizer.vocabularySize(); id++) {
        byte[] bytes = tokenizer.bytes(id);
        if (isText(bytes) && bytes.length > 0) {
          int[] ids = Arrays.copyOf(first, first.length + 1);
          ids[first.length] = id;
          assertThat(tokenizer.decode(ids, false))
              .as("id %d", id)
              .isEqualTo(before + new String(bytes, StandardCharsets.UTF_8));
          compared++;
        }
      }
      assertThat(compared).isGreaterThan(tokenizer.vocabularySize() / 3);
    }
  }

  @Test
  void specialUnknownAndMissingTokensWriteNothing() throws IOException {
    try (HfTokenizer llama = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("llama"));
        HfTokenizer unigram = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("unigram"));
        HfTokenizer chat = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("chat"));
        HfTokenizer demo = HfTokenizer.open(DEMO)) {
      for (int id : new int[] {0, 1, 2, -1, 421, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        assertThat(llama.bytes(id)).isEmpty();
      }
      assertThat(unigram.bytes(0)).isEmpty(); // <unk>, which no list calls special
      assertThat(chat.bytes(300)).isEmpty();
      assertThat(new String(chat.bytes(301), StandardCharsets.UTF_8)).isEqualTo("<think>");
      assertThat(demo.bytes(0)).isEmpty();
      assertThat(demo.bytes(1)).isEmpty();
      assertThat(llama.bytes(3 + 0x0a)).containsExactly(0x0a);
      assertThat(llama.bytes(3 + 0xe9)).containsExactly(0xe9);
      byte[] own = chat.bytes(301);
      own[0] = 0;
      assertThat(chat.bytes(301)[0]).isEqualTo((byte) '<');
    }
  }

  private static boolean isText(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static String written(HfTokenizer tokenizer, int[] ids) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : ids) {
      bytes.writeBytes(tokenizer.bytes(id));
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
