package dev.gatun.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Each fault gives one line: file, place, found, expected.
class MalformedTokenizerTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"model": {"type": "BPE"                                        | line 1  | Unexpected end | valid JSON
          []                                                              | file    | an array     | an object
          {"version": "1.0"}                                              | model   | nothing      | an object
          {"model": []}                                                   | model   | an array     | an object
          {"model": {"type": "BPF", "vocab": {"a": 0}, "merges": []}}     | model.type | BPF       | BPE, Unigram, WordPiece or WordLevel
          {"model": {"type": "BPE", "merges": []}}                        | model.vocab | nothing  | an object
          {"model": {"type": "BPE", "vocab": {}, "merges": []}}           | model.vocab | no token | at least one token
          {"model": {"type": "BPE", "vocab": {"a": "0"}, "merges": []}}   | model.vocab["a"] | a string | an id from 0
          {"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}    | model.vocab["a"] | the number -1 | an id from 0
          {"model": {"type": "BPE", "vocab": {"a": 4294967295}, "merges": []}} | model.vocab["a"] | the number 4294967295 | an id from 0
          {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}  | model.merges[0] | a string | "a b"
          {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}} | tokenizer | ab | what the tokenizers library reads
          {"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a"]]}}   | model.vocab[0] | an array | a piece and its score
          {"model": {"type": "Unigram", "unk_id": 5, "vocab": [["a", 0.0]]}} | tokenizer | UnkIdNotInVocabulary | what the tokenizers library reads
          {"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"a": 0}}} | model.unk_token | [UNK] | a token of model.vocab
          {"added_tokens": [{"id": 1}], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}} | added_tokens[0].content | nothing | a string
          {"added_tokens": [{"content": "b"}], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}} | added_tokens[0].id | nothing | an id from 0
          {"decoder": {"type": "None"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}} | tokenizer | | what the tokenizers library reads
          """)
  void aTokenizerIsRefusedByItsPlace(String json, String place, String found, String expected)
      throws IOException {
    expect(write("tokenizer.json", json), place, found == null ? "" : found, expected);
  }

  @Test
  void settingsMustFitTheVocabulary() throws IOException {
    write(
        "tokenizer.json",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}}");
    Path settings = write("tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
    expect(settings, "eos_token", "</s>", "a token of tokenizer.json");
    write("tokenizer_config.json", "{\"eos_token\": 5}");
    expect(settings, "eos_token", "the number 5", "a token, or an object with its content");
    write("tokenizer_config.json", "{\"add_bos_token\": \"yes\"}");
    expect(settings, "add_bos_token", "a string", "true or false");
    write("tokenizer_config.json", "{}");
    Path config = write("config.json", "{\"eos_token_id\": \"a\"}");
    expect(config, "eos_token_id", "a string", "a token id");
  }

  @Test
  void aMissingTokenizerIsNamed() {
    assertThatThrownBy(() -> HfTokenizer.open(folder))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining(folder.resolve("tokenizer.json").toString())
        .hasMessageContaining("it takes token ids only");
  }

  @Test
  void mutatedTokenizersNeverCrash() throws IOException {
    Random random = new Random(3);
    int refused = 0;
    int opened = 0;
    for (String name : List.of("bpe", "unigram", "wordpiece")) {
      String good =
          Files.readString(HfTokenizerTest.FIXTURES.resolve(name).resolve("tokenizer.json"));
      for (int i = 0; i < 150; i++) {
        byte[] bytes = good.getBytes(StandardCharsets.UTF_8);
        for (int n = 0; n <= random.nextInt(3); n++) {
          int at = random.nextInt(bytes.length);
          bytes[at] = (byte) "0123456789[]{}\",:ax-".charAt(random.nextInt(20));
        }
        Files.write(folder.resolve("tokenizer.json"), bytes);
        try (HfTokenizer tokenizer = HfTokenizer.open(folder)) {
          tokenizer.decode(tokenizer.encode("the License, 漢字"), true);
          opened++;
        } catch (MalformedFileException | IllegalArgumentException e) {
          assertThat(e.getMessage()).doesNotContain("\n");
          refused++;
        }
      }
    }
    assertThat(refused).isGreaterThan(50);
    assertThat(opened).isGreaterThan(50);
  }

  private void expect(Path file, String place, String found, String expected) {
    MalformedFileException e =
        catchThrowableOfType(MalformedFileException.class, () -> HfTokenizer.open(folder).close());
    assertThat(e).isNotNull();
    assertThat(e.getMessage()).startsWith(file + ": " + place).doesNotContain("\n");
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).contains(expected);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }
}
