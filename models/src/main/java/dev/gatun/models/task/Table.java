package dev.gatun.models.task;

import dev.gatun.models.data.RowFormat;
import dev.gatun.models.data.TextLines;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads files of rows with named columns.
///
/// | file | read as |
/// |---|---|
/// | `.tsv`, `.txt` | fields between tabs; a quote is a character like others |
/// | `.csv` | fields between commas, quoted as RFC 4180 says; a quoted field may go over lines |
/// | `.jsonl`, `.ndjson` | one JSON object per line |
/// | `.json` | a list of JSON objects, or one per line |
/// | that of a [RowFormat], such as `.parquet` | its rows |
///
/// Blank lines are passed over.
///
/// @param unnamed columns of a TSV or CSV file without a header line; empty where each has one
/// @param mark columns by which a header line is known, where there may be none
/// @param skipsBroken whether rows of a TSV or CSV file with another number of fields are passed
///   over
record Table(List<String> unnamed, List<String> mark, boolean skipsBroken) {
  /// A table with a header line and without broken rows.
  static final Table NAMED = new Table(List.of(), List.of(), false);

  /// Reads a file to its end.
  ///
  /// @return how many rows were passed over
  /// @throws MalformedFileException at the first fault
  int read(Path file, TableRow.Sink sink) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    String extension = name.substring(name.lastIndexOf('.') + 1);
    switch (extension) {
      case "tsv", "txt", "csv" -> {
        return readFields(file, extension.equals("csv"), sink);
      }
      case "jsonl", "ndjson" -> TaskJson.readLines(file, sink);
      case "json" -> TaskJson.readList(file, sink);
      default -> readFormat(file, sink);
    }
    return 0;
  }

  private static void readFormat(Path file, TableRow.Sink sink) throws IOException {
    RowFormat format = RowFormat.of(file).orElse(null);
    if (format == null) {
      throw new MalformedFileException(
          file,
          "name",
          String.valueOf(file.getFileName()),
          "a .tsv, .txt, .csv, .jsonl, .ndjson, .json or .parquet file");
    }
    format.read(
        file,
        (row, values) -> sink.accept(new TableRow(file, RowFormat.place(row), "columns", values)));
  }

  private int readFields(Path file, boolean quoted, TableRow.Sink sink) throws IOException {
    List<String> names = null;
    String header = "";
    int skipped = 0;
    try (TextLines lines = new TextLines(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (line.isBlank()) {
          continue;
        }
        String place = lines.place();
        List<String> fields =
            quoted ? CsvRecord.fields(file, lines, line) : List.of(line.split("\t", -1));
        if (names == null) {
          header = place;
          if (fields.containsAll(mark)) {
            names = checkNames(file, place, fields);
            continue;
          }
          names = unnamed;
        }
        if (fields.size() == names.size()) {
          sink.accept(new TableRow(file, place, header, object(names, fields)));
        } else if (skipsBroken) {
          skipped++;
        } else {
          throw new MalformedFileException(
              file, place, fields.size() + " fields", names.size() + " fields");
        }
      }
    }
    return skipped;
  }

  private static List<String> checkNames(Path file, String place, List<String> names)
      throws MalformedFileException {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new MalformedFileException(file, place, "column " + name + " twice", "it once");
      }
    }
    return names;
  }

  private static ObjectNode object(List<String> names, List<String> fields) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    for (int i = 0; i < names.size(); i++) {
      object.put(names.get(i), fields.get(i));
    }
    return object;
  }
}
