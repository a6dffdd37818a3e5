package dev.gatun.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.models.data.RowFormat;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How cells become JSON, and what is refused.
class ParquetFormatTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'Gatún 🚢'                     | \"Gatún 🚢\"",
        "''                             | \"\"",
        "NULL::VARCHAR                  | null",
        "NULL                           | null",
        "true                           | true",
        "-1::TINYINT                    | -1",
        "200::UTINYINT                  | 200",
        "7::SMALLINT                    | 7",
        "2147483648                     | 2147483648",
        "18446744073709551615::UBIGINT  | 18446744073709551615",
        "3.8::FLOAT                     | 3.8",
        "0.1::DOUBLE                    | 0.1",
        "1.50::DECIMAL(4, 2)            | 1.50",
        "[1, NULL, 3]                   | [1,null,3]",
        "[['a'], []]                    | [[\"a\"],[]]",
        "{'text': ['b'], 'start': [1]}  | {\"text\":[\"b\"],\"start\":[1]}",
        "MAP {'k': 1}                   | {\"k\":1}",
        "DATE '2020-01-31'              | \"2020-01-31\"",
        "'abc'::BLOB                    | \"abc\"",
        "'\\xFF'::BLOB                  | \"/w==\""
      })
  void cellsBecomeJson(String cell, String json) throws IOException, SQLException {
    Path file = Parquet.write(folder.resolve("a.parquet"), "SELECT %s AS c".formatted(cell));
    assertThat(rows(file)).containsExactly("{\"c\":" + json + "}");
  }

  @Test
  void rowsComeInTheirOrder() throws IOException, SQLException {
    Path file = Parquet.write(folder.resolve("a.parquet"), "SELECT i FROM range(300000) t(i)");
    List<String> rows = rows(file);
    assertThat(rows).hasSize(300_000).startsWith("{\"i\":0}").endsWith("{\"i\":299999}");
    assertThat(rows.get(123_456)).isEqualTo("{\"i\":123456}");
  }

  @Test
  void aPathIsNoPattern() throws IOException, SQLException {
    Path odd = Files.createDirectories(folder.resolve("lang=en"));
    Path file = Parquet.write(odd.resolve("a[1]*.parquet"), "SELECT 1 AS i");
    Parquet.write(odd.resolve("a1.parquet"), "SELECT 2 AS i");
    Parquet.write(odd.resolve("a1b.parquet"), "SELECT 3 AS i");
    assertThat(rows(file)).containsExactly("{\"i\":1}");
  }

  @Test
  void whatIsNoParquetIsRefused() throws IOException, SQLException {
    Path text = Files.writeString(folder.resolve("text.parquet"), "{\"text\": \"a long line\"}\n");
    expect(text, "file", "PAR1");
    expect(Files.writeString(folder.resolve("empty.parquet"), ""), "file", "PAR1");
    byte[] good =
        Files.readAllBytes(Parquet.write(folder.resolve("good.parquet"), "SELECT 'a' AS text"));
    Path cut = folder.resolve("cut.parquet");
    Files.write(cut, Arrays.copyOf(good, good.length / 2));
    expect(cut, "file", "PAR1");
    byte[] broken = good.clone();
    Arrays.fill(broken, good.length / 2, good.length - 8, (byte) 0xee);
    expect(Files.write(folder.resolve("broken.parquet"), broken), "file", "");
    assertThatThrownBy(() -> rows(folder.resolve("missing.parquet")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("missing.parquet");
  }

  private static void expect(Path file, String place, String found) {
    MalformedFileException e = catchThrowableOfType(MalformedFileException.class, () -> rows(file));
    assertThat(e.getMessage()).startsWith(file + ": " + place + ": found ").doesNotContain("\n");
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).isEqualTo("a Parquet file");
  }

  private static List<String> rows(Path file) throws IOException {
    List<String> rows = new ArrayList<>();
    RowFormat.of(file)
        .orElseThrow()
        .read(
            file,
            (row, values) -> {
              rows.add(values.toString());
              assertThat(row).isEqualTo(rows.size());
            });
    return rows;
  }
}
