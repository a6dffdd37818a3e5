package dev.gatun.models.data;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import tools.jackson.databind.node.ObjectNode;

/// A kind of file that holds rows with named columns and needs a library to be read.
///
/// `ServiceLoader` finds implementations where they are on the class path or module path, so that
/// who reads no such file needs no such library: `gatun-parquet` reads Parquet.
public interface RowFormat {
  /// Receives rows.
  @FunctionalInterface
  interface Sink {
    /// Takes a row.
    ///
    /// @param row its number, from 1
    /// @param values its cells by the names of their columns, those of no value as JSON's null
    /// @throws MalformedFileException if it breaks a rule
    void accept(int row, ObjectNode values) throws MalformedFileException;
  }

  /// {@return what the names of such files end with, in lower case: `.parquet`}
  String ending();

  /// Reads a file from its first row to its last.
  ///
  /// @param file the file
  /// @param sink takes the rows
  /// @throws MalformedFileException if it is no such file, or the sink refuses a row
  /// @throws IOException if it is missing or cannot be read
  void read(Path file, Sink sink) throws IOException;

  /// {@return the format of a file, by the end of its name; nothing where it is of none}
  ///
  /// @param file the file
  /// @throws MalformedFileException if it is named as Parquet and nothing is there that reads it
  static Optional<RowFormat> of(Path file) throws MalformedFileException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    Optional<RowFormat> found =
        ServiceLoader.load(RowFormat.class, RowFormat.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .filter(format -> name.endsWith(format.ending()))
            .findFirst();
    if (found.isEmpty() && name.endsWith(".parquet")) {
      throw new MalformedFileException(
          file, "name", ".parquet", "gatun-parquet beside Gatun's other libraries, or .jsonl");
    }
    return found;
  }

  /// {@return the number of a row as messages name it}
  ///
  /// @param row from 1
  static String place(int row) {
    return "row " + row;
  }
}
