package dev.gatun.models.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataReaderTest {
  private static final Tokenizer PLAIN = new ByteTokenizer(false);
  private static final Tokenizer WITH_BOS = new ByteTokenizer(true);

  @TempDir Path folder;

  @Test
  void readsIdsAsGivenWithoutATokenizer() throws IOException {
    Dataset data =
        read(
            null,
            """
            {"input_ids": [5, 6, 7]}

            {"input_ids": [8, 9, 10], "labels": [-100, -100, 4], "attention_mask": [1, 1, 1]}
            {"input_ids": [11], "labels": null, "source": "ignored"}\
            """);
    assertThat(data.examples()).extracting(Example::row).containsExactly(0, 1, 2);
    assertThat(data.examples()).extracting(Example::targets).containsExactly(2, 1, 0);
    assertThat(data.examples().get(0).ids()).containsExactly(5, 6, 7);
    assertThat(labels(data.examples().get(0))).containsExactly(5, 6, 7);
    assertThat(labels(data.examples().get(1))).containsExactly(-100, -100, 4);
    assertThat(data.tokens()).isEqualTo(7);
    assertThat(data.targets()).isEqualTo(3);
    assertThat(data.withoutTargets()).isEqualTo(1);
    assertThat(data.longest()).isEqualTo(3);
  }

  @Test
  void aTextBeginsAndEnds() throws IOException {
    String row = "{\"text\": \"ab\\n\"}";
    assertThat(read(PLAIN, row).examples().getFirst().ids()).containsExactly(100, 101, 13, 1);
    assertThat(read(WITH_BOS, row).examples().getFirst().ids()).containsExactly(0, 100, 101, 13, 1);
    assertThat(read(PLAIN, row).targets()).isEqualTo(3);
  }

  @Test
  void learnsOnlyTheCompletionAndItsEnd() throws IOException {
    Example example =
        read(WITH_BOS, "{\"prompt\": \"ab\", \"completion\": \"cd\"}").examples().getFirst();
    assertThat(example.ids()).containsExactly(0, 100, 101, 102, 103, 1);
    assertThat(labels(example)).containsExactly(-100, -100, -100, 102, 103, 1);
    assertThat(example.targets()).isEqualTo(3);
  }

  @Test
  void learnsOnlyTheAssistantsTurnsAndTheirEnds() throws IOException {
    Example example =
        read(
                PLAIN,
                """
                {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}, \
                {"role": "assistant", "content": "A1"}, {"role": "user", "content": "V"}, \
                {"role": "assistant", "content": "A2"}, {"role": "user", "content": "left out"}]}\
                """)
            .examples()
            .getFirst();
    assertThat(PLAIN.decode(example.ids(), true))
        .isEqualTo(
            """
            <|system|>
            S
            <|user|>
            U
            <|assistant|>
            A1</s>
            <|user|>
            V
            <|assistant|>
            A2</s>\
            """);
    int[] trained =
        IntStream.range(0, example.length())
            .filter(example::isTrained)
            .map(i -> example.ids()[i])
            .toArray();
    assertThat(PLAIN.decode(trained, true)).isEqualTo("A1</s>A2</s>");
  }

  @Test
  void aChatIsAskedInTheFormItIsLearnt() throws IOException {
    List<ChatMessage> asked =
        List.of(
            new ChatMessage("user", "U"),
            new ChatMessage("assistant", "A1"),
            new ChatMessage("user", "V"));
    ExampleEncoder encoder = new ExampleEncoder(options(WITH_BOS, 1000));
    int[] prompt = encoder.chatPrompt(asked);
    List<ChatMessage> answered =
        List.of(asked.get(0), asked.get(1), asked.get(2), new ChatMessage("assistant", "A2"));
    int[] learnt = encoder.chat(answered).ids();
    assertThat(learnt).startsWith(prompt);
    assertThat(WITH_BOS.decode(learnt, true).substring(WITH_BOS.decode(prompt, true).length()))
        .isEqualTo("A2</s>");
  }

  @Test
  void aFormatThatWritesTheBeginningGetsNoSecondOne() {
    ChatFormat writes =
        new ChatFormat() {
          @Override
          public List<ChatPiece> pieces(List<ChatMessage> messages) {
            return List.of(new ChatPiece("x", true, false));
          }

          @Override
          public List<ChatPiece> prompt(List<ChatMessage> messages) {
            return pieces(messages);
          }

          @Override
          public boolean writesBos() {
            return true;
          }
        };
    DataOptions options = new DataOptions(WITH_BOS, writes, 10, ByteTokenizer.VOCABULARY);
    assertThat(new ExampleEncoder(options).chat(List.of()).ids()).containsExactly(123);
  }

  @Test
  void cutsTextsAndCutsOffOtherRows() throws IOException {
    Path file =
        write(
            "data.jsonl",
            """
            {"text": "abcdefgh"}
            {"input_ids": [3, 4, 5, 6, 7]}
            {"prompt": "abcd", "completion": "e"}
            {"text": "abcdefg"}
            {"text": " "}
            """);
    Dataset data = DataReader.read(file, options(PLAIN, 4));
    assertThat(data.examples()).extracting(Example::length).containsExactly(4, 4, 4, 4, 4, 4);
    // the ninth token of the first text stood alone: nothing could predict it
    assertThat(data.examples()).extracting(Example::document).containsExactly(0, 0, 1, 2, 3, 3);
    assertThat(data.truncated()).isEqualTo(2);
    assertThat(data.skipped()).isEqualTo(1);
    assertThat(data.examples().get(3).targets()).isZero();
    assertThat(data.examples().get(5).ids()).containsExactly(104, 105, 106, 1);
  }

  @Test
  void readsAFolderInTheOrderOfItsPaths() throws IOException {
    write("b/Z.java", "class Z {}\r\n");
    write("b/A.java", "class A {}\n");
    write("a.txt", "\ufeffa\n");
    write(".hidden/secret.txt", "no");
    write("node_modules/x.js", "no");
    write("rows.jsonl", "{}");
    write("noextension", "no");
    write("empty.md", "\n");
    Files.write(folder.resolve("binary.txt"), new byte[] {'a', 0, (byte) 0xff});
    Dataset data = DataReader.read(folder, options(PLAIN, 1000));
    assertThat(data.examples())
        .extracting(e -> PLAIN.decode(e.ids(), false))
        .containsExactly("a\n", "class A {}\n", "class Z {}\n");
    assertThat(data.examples()).extracting(Example::document).containsExactly(0, 1, 2);
    assertThat(data.skipped()).isEqualTo(2);
  }

  @Test
  void aLongTextIsTheSameEncodedInStretches() throws IOException {
    String line = "int x = 1;\n\n    // ü comment\n";
    String text = line.repeat(3 * (1 << 20) / line.length());
    Path file = write("long.txt", text);
    Dataset data = DataReader.read(file, options(WITH_BOS, 1 << 16));
    int[] ids = data.examples().stream().flatMapToInt(e -> IntStream.of(e.ids())).toArray();
    assertThat(ids.length).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length + 2);
    assertThat(PLAIN.decode(ids, false)).isEqualTo(text);
    assertThat(ids[0]).isEqualTo(ByteTokenizer.BOS);
    assertThat(IntStream.of(ids).filter(id -> id == ByteTokenizer.BOS).count()).isEqualTo(1);
  }

  @Test
  void aMissingFileIsNamed() {
    Path missing = folder.resolve("missing.jsonl");
    assertThatThrownBy(() -> DataReader.read(missing, options(PLAIN, 8)))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage(missing + ": no such data file or folder");
  }

  @Test
  void rowsCutAtRandomBytesNeverFailInAnyOtherWay() throws IOException {
    byte[] rows =
        """
        {"input_ids": [3, 4, 5], "labels": [-100, 4, 5]}
        {"messages": [{"role": "user", "content": "é"}, {"role": "assistant", "content": "b"}]}
        """
            .getBytes(StandardCharsets.UTF_8);
    Random random = new Random(7);
    Path file = folder.resolve("fuzz.jsonl");
    for (int i = 0; i < 500; i++) {
      byte[] bytes = rows.clone();
      for (int n = 0; n <= random.nextInt(3); n++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, bytes);
      try {
        DataReader.read(file, options(PLAIN, 100));
      } catch (IOException e) {
        assertThat(e.getMessage()).contains(file + ": ").doesNotContain("\n");
      }
    }
  }

  @Test
  void previewShowsTokensTextAndMask() throws IOException {
    Dataset data =
        read(WITH_BOS, "{\"prompt\": \"a\\n\", \"completion\": \"b\"}\n{\"text\": \"c\"}");
    assertThat(Preview.of(data, WITH_BOS, 1, 4))
        .isEqualTo(
            """
            row 0: 5 tokens, 2 trained
            position |       id | token                    | trained?
                   0 |        0 | "<s>"                    | -
                   1 |      100 | "a"                      | -
                   2 |       13 | "\\n"                     | -
                   3 |      101 | "b"                      | yes
                 ... | 1 more
            """);
    assertThat(Preview.of(data, null, 9, 9).lines()).hasSize(1 + 1 + 5 + 1 + 1 + 3);
  }

  @Test
  void aConversationThatTheFormatRefusesIsToldByItsLine() throws IOException {
    ChatFormat refusing =
        new ChatFormat() {
          @Override
          public List<ChatPiece> pieces(List<ChatMessage> messages) {
            throw new IllegalArgumentException("roles must alternate");
          }

          @Override
          public List<ChatPiece> prompt(List<ChatMessage> messages) {
            return pieces(messages);
          }

          @Override
          public boolean writesBos() {
            return true;
          }
        };
    Path file = write("data.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n");
    DataOptions options = new DataOptions(PLAIN, refusing, 9, ByteTokenizer.VOCABULARY);
    assertThatThrownBy(() -> DataReader.read(file, options))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(
            file
                + ": line 1, messages: found roles must alternate, expected a conversation that"
                + " the model's format takes");
  }

  private Dataset read(@Nullable Tokenizer tokenizer, String rows) throws IOException {
    return DataReader.read(write("data.jsonl", rows), options(tokenizer, 1000));
  }

  private Path write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  static DataOptions options(@Nullable Tokenizer tokenizer, int maxLength) {
    return new DataOptions(tokenizer, new PlainChatFormat(), maxLength, ByteTokenizer.VOCABULARY);
  }

  static List<Integer> labels(Example example) {
    return IntStream.range(0, example.length()).mapToObj(example::label).toList();
  }
}
