package dev.gatun.models.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Each fault gives one line: file, place, found, expected.
class MalformedDataTest {
  private static final String GOOD = "{\"input_ids\": [3, 4]}\n";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"input_ids": [3, 4}                     | line 2                  | Unexpected close marker '}' | a JSON object
          [3, 4]                                   | line 2                  | an array               | a JSON object
          {"input_ids": [3]} {"input_ids": [4]}    | line 2                  | Trailing token         | a JSON object
          {"text": "a", "text": "b"}               | line 2                  | Duplicate              | a JSON object
          {"txt": "a"}                             | line 2                  | the keys [txt]         | exactly one of input_ids, text
          {"text": "a", "messages": []}            | line 2                  | text and messages      | exactly one of input_ids, text
          {"text": null}                           | line 2, text            | null                   | exactly one of input_ids, text
          {"text": 5}                              | line 2, text            | 5                      | a string
          {"prompt": "a"}                          | line 2, completion      | nothing                | a string
          {"prompt": "a", "completion": ["b"]}     | line 2, completion      | an array               | a string
          {"input_ids": []}                        | line 2, input_ids       | an empty array         | at least one id
          {"input_ids": "3 4"}                     | line 2, input_ids       | the string "3 4"       | an array of whole numbers
          {"input_ids": [3, 4.5]}                  | line 2, input_ids[1]    | 4.5                    | a whole number
          {"input_ids": [3, 4294967299]}           | line 2, input_ids[1]    | 4294967299             | a whole number of 32 bits
          {"input_ids": [3, 259]}                  | line 2, token 1         | id 259                 | an id from 0 to 258
          {"input_ids": [-1, 3]}                   | line 2, token 0         | id -1                  | an id from 0 to 258
          {"input_ids": [3, 4], "labels": [3]}     | line 2, labels          | 1 labels               | 2, one for each id
          {"input_ids": [3, 4], "labels": [3, -1]} | line 2, label 1         | -1                     | or -100
          {"input_ids": [3, 4], "attention_mask": [1, 0]} | line 2, attention_mask | 0                | rows without padding
          {"messages": []}                         | line 2, messages        | an empty array         | messages
          {"messages": ["a"]}                      | line 2, messages[0]     | the string "a"         | an object with role and content
          {"messages": [{"role": "bot", "content": "a"}]} | line 2, messages[0], role | bot            | system, user, assistant or tool
          {"messages": [{"role": "user"}]}         | line 2, messages[0], content | nothing           | a string
          """)
  void aRowIsRefusedByItsLine(String row, String place, String found, String expected)
      throws IOException {
    expect(write("rows.jsonl", GOOD + row + "\n" + GOOD), place, found, expected);
  }

  @Test
  void maskedDataIsRefused() throws IOException {
    Path file = write("masked.jsonl", "{\"input_ids\": [3, 4], \"labels\": [3, -100]}\n");
    expect(file, "labels", "all masked in all 1 rows", "at least one token to learn");
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    expect(write("empty.jsonl", "\n\n"), "data", "nothing", "at least one row");
    expect(write("empty.txt", ""), "data", "nothing", "at least one row or text");
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws IOException {
    Path rows = folder.resolve("bytes.jsonl");
    Files.write(rows, "{\"text\": \"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1));
    expect(rows, "line 1", "bytes that are not UTF-8", "UTF-8 text");
    Path text = folder.resolve("bytes.txt");
    Files.write(text, new byte[] {(byte) 0xff, (byte) 0xfe, 'a', 0});
    expect(text, "file", "bytes that are not UTF-8", "text");
  }

  @Test
  void aFolderWithoutTextIsRefused() throws IOException {
    write("sub/image.png", "x");
    expect(folder, "folder", "no text file", "files such as .txt");
  }

  @Test
  void tablesAreRefusedByName() throws IOException {
    expect(write("rows.csv", "a,b\n"), "name", ".csv", "rows in a .jsonl or .parquet file");
    expect(write("rows.parquet", ""), "name", ".parquet", "gatun-parquet");
  }

  @Test
  void textWithoutATokenizerIsRefused() throws IOException {
    Path file = write("text.jsonl", GOOD + "{\"text\": \"a\"}");
    MalformedFileException e =
        catchThrowableOfType(
            MalformedFileException.class,
            () -> DataReader.read(file, DataReaderTest.options(null, 8)));
    assertThat(e)
        .hasMessage(
            file
                + ": line 2: found text, expected input_ids, since the model has no"
                + " tokenizer.json");
  }

  private static void expect(Path file, String place, String found, String expected) {
    MalformedFileException e =
        catchThrowableOfType(
            MalformedFileException.class,
            () -> DataReader.read(file, DataReaderTest.options(new ByteTokenizer(false), 8)));
    assertThat(e).isNotNull();
    assertThat(e.getMessage()).startsWith(file + ": " + place + ": found ").doesNotContain("\n");
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).contains(expected);
  }

  private Path write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }
}
