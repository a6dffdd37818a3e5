package dev.gatun.models.task;

import dev.gatun.models.data.TextLines;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The fields of one record of a CSV file, RFC 4180: a quoted field may go over lines.
final class CsvRecord {
  private final Path file;
  private final TextLines lines;
  private final String place;
  private String line;
  private int at;

  private CsvRecord(Path file, TextLines lines, String line) {
    this.file = file;
    this.lines = lines;
    this.place = lines.place();
    this.line = line;
  }

  /// Returns the fields of the record that begins with a line; reads on where it goes on.
  static List<String> fields(Path file, TextLines lines, String line) throws IOException {
    CsvRecord parsed = new CsvRecord(file, lines, line);
    List<String> fields = new ArrayList<>();
    fields.add(parsed.field());
    while (parsed.at < parsed.line.length()) {
      parsed.at++; // the comma
      fields.add(parsed.field());
    }
    return fields;
  }

  private String field() throws IOException {
    if (at < line.length() && line.charAt(at) == '"') {
      return quoted();
    }
    int comma = line.indexOf(',', at);
    int end = comma < 0 ? line.length() : comma;
    String field = line.substring(at, end);
    at = end;
    return field;
  }

  private String quoted() throws IOException {
    StringBuilder field = new StringBuilder();
    int from = at + 1;
    while (true) {
      int quote = line.indexOf('"', from);
      if (quote < 0) {
        field.append(line, from, line.length()).append('\n');
        String next = lines.next();
        if (next == null) {
          throw new MalformedFileException(file, place, "a quote without an end", "\" behind it");
        }
        line = next;
        from = 0;
      } else if (line.startsWith("\"\"", quote)) {
        field.append(line, from, quote + 1);
        from = quote + 2;
      } else {
        field.append(line, from, quote);
        at = quote + 1;
        if (at < line.length() && line.charAt(at) != ',') {
          throw new MalformedFileException(
              file, lines.place(), "\" inside a quoted field", "\"\" there, or a comma behind it");
        }
        return field.toString();
      }
    }
  }
}
