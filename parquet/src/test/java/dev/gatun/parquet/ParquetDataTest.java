package dev.gatun.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Training data in Parquet is that of equal JSON lines.
class ParquetDataTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          SELECT 'ab' AS text, 1 AS idx UNION ALL SELECT 'c', 2 | {"text": "ab"}/{"text": "c"}
          SELECT 'ab' AS prompt, 'c' AS completion              | {"prompt": "ab", "completion": "c"}
          SELECT [{'role': 'user', 'content': 'a'}, {'role': 'assistant', 'content': 'b'}] AS messages | {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
          SELECT [97, 98, 99] AS input_ids                      | {"input_ids": [97, 98, 99]}
          SELECT [97, 98]::SMALLINT[] AS input_ids, [-100, 98] AS labels, [1, 1] AS attention_mask | {"input_ids": [97, 98], "labels": [-100, 98]}
          SELECT 'ab' AS text, NULL::VARCHAR AS prompt, NULL::VARCHAR AS completion UNION ALL SELECT NULL, 'b', 'c' | {"text": "ab"}/{"prompt": "b", "completion": "c"}
          """)
  void rowsAreThoseOfJsonLines(String query, String lines) throws IOException, SQLException {
    Path json = Files.writeString(folder.resolve("a.jsonl"), lines.replace('/', '\n'));
    Dataset expected = DataReader.read(json, DataOptions.of(new Characters(), 40));
    assertThat(read(query).fingerprint()).isEqualTo(expected.fingerprint());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          SELECT 'a' AS txt                                   | row 1            | the keys [txt]       | exactly one of input_ids, text
          SELECT 'a' AS text UNION ALL SELECT NULL            | row 2, text      | null                 | exactly one of input_ids, text
          SELECT 5 AS text                                    | row 1, text      | 5                    | a string
          SELECT 'a' AS prompt, NULL::VARCHAR AS completion   | row 1, completion | null                | a string
          SELECT [1, NULL] AS input_ids                       | row 1, input_ids[1] | null              | a whole number
          SELECT [1.5] AS input_ids                           | row 1, input_ids[0] | 1.5               | a whole number
          SELECT [1, 300] AS input_ids                        | row 1, token 1   | id 300               | an id from 0 to 255
          SELECT 'a' AS text WHERE false                      | data             | nothing              | at least one row
          """)
  void faultsAreNamedByRowAndColumn(String query, String place, String found, String expected) {
    MalformedFileException e =
        catchThrowableOfType(MalformedFileException.class, () -> read(query));
    assertThat(e).isNotNull();
    assertThat(e.place()).isEqualTo(place);
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).contains(expected);
  }

  @Test
  void longTextsAreCutAsTextsAre() throws IOException, SQLException {
    assertThat(read("SELECT repeat('a', 90) AS text").examples())
        .extracting(example -> example.length())
        .containsExactly(40, 40, 10);
  }

  private Dataset read(String query) throws IOException, SQLException {
    Path file = Parquet.write(folder.resolve("a.parquet"), query);
    return DataReader.read(file, DataOptions.of(new Characters(), 40));
  }

  /// A token for each character.
  private static final class Characters implements Tokenizer {
    @Override
    public int[] encode(String text) {
      return text.chars().toArray();
    }

    @Override
    public String decode(int[] ids, boolean withSpecialTokens) {
      return Arrays.stream(ids).mapToObj(Character::toString).collect(Collectors.joining());
    }

    @Override
    public byte[] bytes(int id) {
      return new byte[] {(byte) id};
    }

    @Override
    public int vocabularySize() {
      return 256;
    }

    @Override
    public boolean beginsDocuments() {
      return false;
    }

    @Override
    public OptionalInt bosId() {
      return OptionalInt.empty();
    }

    @Override
    public OptionalInt eosId() {
      return OptionalInt.empty();
    }

    @Override
    public OptionalInt padId() {
      return OptionalInt.empty();
    }
  }
}
