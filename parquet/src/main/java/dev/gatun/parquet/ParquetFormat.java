package dev.gatun.parquet;

import dev.gatun.models.data.RowFormat;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Objects;
import java.util.Properties;
import org.duckdb.DuckDBDriver;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Parquet files, read by DuckDB inside this process: one thread, no network, no extensions. Its
/// library is unpacked and loaded when the first file is read.
///
/// A cell becomes text, a number, true or false, null, an array or an object ([Cells]).
public final class ParquetFormat implements RowFormat {
  private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

  /// Folders named `key=value` on the way to a file are no columns of it.
  private static final String ALL = "SELECT * FROM read_parquet(?, hive_partitioning = false)";

  /// Made by `ServiceLoader`.
  public ParquetFormat() {}

  @Override
  public String ending() {
    return ".parquet";
  }

  @Override
  public void read(Path file, Sink sink) throws IOException {
    checkMagic(file);
    int row = 0;
    try (Connection duckDb = open();
        PreparedStatement select = duckDb.prepareStatement(ALL)) {
      select.setString(1, literal(file.toAbsolutePath().toString()));
      try (ResultSet rows = select.executeQuery()) {
        ResultSetMetaData columns = rows.getMetaData();
        while (rows.next()) {
          row++;
          ObjectNode values = JsonNodeFactory.instance.objectNode();
          for (int i = 1; i <= columns.getColumnCount(); i++) {
            values.set(columns.getColumnName(i), Cells.node(rows.getObject(i)));
          }
          sink.accept(row, values);
        }
      }
    } catch (SQLException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      MalformedFileException malformed =
          new MalformedFileException(
              file, row == 0 ? "file" : "behind row " + row, message, "a Parquet file");
      malformed.initCause(e);
      throw malformed;
    }
  }

  /// DuckDB takes a path as a pattern: characters that stand for others there go into classes of
  /// their own.
  private static String literal(String path) {
    return path.replaceAll("[\\[*?]", "[$0]");
  }

  private static Connection open() throws SQLException {
    Properties settings = new Properties();
    settings.setProperty("threads", "1");
    settings.setProperty("autoinstall_known_extensions", "false");
    settings.setProperty("autoload_known_extensions", "false");
    settings.setProperty("jdbc_stream_results", "true"); // else all rows are in memory at once
    return Objects.requireNonNull(new DuckDBDriver().connect("jdbc:duckdb:", settings));
  }

  private static void checkMagic(Path file) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
      byte[] first = new byte[MAGIC.length];
      byte[] last = new byte[MAGIC.length];
      if (bytes.length() >= 3L * MAGIC.length) {
        bytes.readFully(first);
        bytes.seek(bytes.length() - MAGIC.length);
        bytes.readFully(last);
      }
      if (!Arrays.equals(first, MAGIC) || !Arrays.equals(last, MAGIC)) {
        throw new MalformedFileException(
            file, "file", "another beginning or end than PAR1", "a Parquet file");
      }
    }
  }
}
