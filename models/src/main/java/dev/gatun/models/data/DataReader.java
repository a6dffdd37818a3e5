package dev.gatun.models.data;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Reads the data of a training or an evaluation.
///
/// | what | read as |
/// |---|---|
/// | file named `.jsonl`, `.ndjson` or `.json` | one JSON object per line, blank lines skipped, see below |
/// | file of a [RowFormat], such as `.parquet` | a row as that object; a null cell as none |
/// | other file | one text |
/// | folder | one text per text file in it and in its sub-folders, in the order of their paths |
///
/// | row | tokens | learnt |
/// |---|---|---|
/// | `{"input_ids": [..]}` | as given | each but the first |
/// | `{"input_ids": [..], "labels": [..]}` | as given | where the label is not -100 |
/// | `{"text": ".."}` | as a text file | each but the first |
/// | `{"prompt": "..", "completion": ".."}` | both, encoded one by one, and the end | completion and end |
/// | `{"messages": [{"role": "..", "content": ".."}, ..]}` | as the [ChatFormat] writes them | assistant's turns and their ends |
///
/// A text gets the beginning token where the model's texts have one, and the end-of-text token.
/// Texts are cut into pieces of the maximum length; the other rows are cut off there. Further keys
/// are ignored.
public final class DataReader {
  private final Path source;
  private final ExampleEncoder encoder;
  private final List<Example> examples = new ArrayList<>();
  private int documents;
  private int truncated;
  private int skipped;

  private DataReader(Path source, DataOptions options) {
    this.source = source;
    this.encoder = new ExampleEncoder(options);
  }

  /// Reads a file or a folder.
  ///
  /// @param source the data
  /// @param options how it becomes examples
  /// @return at least one example, at least one label of which is not masked
  /// @throws MalformedFileException if there is nothing to learn, or a row or text breaks the
  ///   rules: its message names file, line, what is there and what should be
  /// @throws IOException if a file is missing or cannot be read
  public static Dataset read(Path source, DataOptions options) throws IOException {
    DataReader reader = new DataReader(source, options);
    if (Files.isDirectory(source)) {
      reader.readFolder();
    } else if (!Files.exists(source)) {
      throw new NoSuchFileException(source.toString(), null, "no such data file or folder");
    } else if (isRows(source)) {
      reader.readRows();
    } else {
      reader.readOther();
    }
    return reader.finish();
  }

  private void readOther() throws IOException {
    Optional<RowFormat> format = RowFormat.of(source);
    if (format.isPresent()) {
      format.get().read(source, this::readRow);
    } else {
      refuseTable(source);
      readText(source);
    }
  }

  private static boolean isRows(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json");
  }

  private static void refuseTable(Path file) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    for (String table : List.of(".csv", ".tsv", ".arrow", ".gz", ".zip")) {
      if (name.endsWith(table)) {
        throw new MalformedFileException(
            file, "name", table, "rows in a .jsonl or .parquet file, a text file or a folder");
      }
    }
  }

  private void readFolder() throws IOException {
    List<Path> files = TextFiles.list(source);
    if (files.isEmpty()) {
      throw new MalformedFileException(
          source, "folder", "no text file", "files such as .txt, .md or .java");
    }
    for (Path file : files) {
      Optional<String> text = TextFiles.read(file);
      if (text.isEmpty()) {
        skipped++; // binary under a name of text
      } else {
        addText(file, "text", text.get());
      }
    }
  }

  private void readText(Path file) throws IOException {
    Optional<String> text = TextFiles.read(file);
    if (text.isEmpty()) {
      throw new MalformedFileException(file, "file", "bytes that are not UTF-8", "text");
    }
    addText(file, "text", text.get());
  }

  private void readRows() throws IOException {
    try (TextLines lines = new TextLines(source)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (!line.isBlank()) {
          read(lines.place(), DataRow.parse(source, lines.place(), line));
        }
      }
    }
  }

  private void readRow(int number, ObjectNode row) throws MalformedFileException {
    String place = RowFormat.place(number);
    read(place, DataRow.of(source, place, row));
  }

  private void read(String place, DataRow row) throws MalformedFileException {
    switch (row) {
      case DataRow.Ids ids -> add(place, ids.encoded());
      case DataRow.Text text -> addText(source, place, text.text());
      case DataRow.Completion pair -> {
        requireTokenizer(place, "prompt");
        add(place, encoder.completion(pair.prompt(), pair.completion()));
      }
      case DataRow.Chat chat -> {
        requireTokenizer(place, "messages");
        add(place, encode(place, chat));
      }
    }
  }

  private ExampleEncoder.Encoded encode(String place, DataRow.Chat chat)
      throws MalformedFileException {
    try {
      return encoder.chat(chat.messages());
    } catch (IllegalArgumentException e) { // the format refuses it, such as two users' turns
      MalformedFileException malformed =
          new MalformedFileException(
              source,
              place + ", messages",
              String.valueOf(e.getMessage()),
              "a conversation that the model's format takes");
      malformed.initCause(e);
      throw malformed;
    }
  }

  private void addText(Path file, String place, String text) throws MalformedFileException {
    if (text.isBlank()) {
      skipped++;
      return;
    }
    requireTokenizer(place, "text");
    for (int[] piece : encoder.text(text)) {
      addExample(file, place, piece, null);
    }
    documents++;
  }

  private void add(String place, ExampleEncoder.Encoded row) throws MalformedFileException {
    addExample(source, place, row.ids(), row.labels());
    documents++;
  }

  private void addExample(Path file, String place, int[] ids, int @Nullable [] labels)
      throws MalformedFileException {
    String limit = "an id from 0 to " + (encoder.options().vocabularySize() - 1);
    for (int i = 0; i < ids.length; i++) {
      if (isOutside(ids[i])) {
        throw new MalformedFileException(file, place + ", token " + i, "id " + ids[i], limit);
      }
      if (labels != null && labels[i] != Example.IGNORED && isOutside(labels[i])) {
        throw new MalformedFileException(
            file, place + ", label " + i, String.valueOf(labels[i]), limit + ", or -100");
      }
    }
    if (ids.length > encoder.options().maxLength()) {
      truncated++;
    }
    examples.add(encoder.example(examples.size(), documents, ids, labels));
  }

  private boolean isOutside(int id) {
    return id < 0 || id >= encoder.options().vocabularySize();
  }

  private void requireTokenizer(String place, String key) throws MalformedFileException {
    if (encoder.options().tokenizer() == null) {
      throw new MalformedFileException(
          source, place, key, "input_ids, since the model has no tokenizer.json");
    }
  }

  private Dataset finish() throws IOException {
    if (examples.isEmpty()) {
      throw new MalformedFileException(source, "data", "nothing", "at least one row or text");
    }
    Dataset dataset = new Dataset(examples, truncated, skipped);
    if (dataset.targets() == 0) {
      throw new MalformedFileException(
          source,
          "labels",
          "all masked in all %d rows (%d cut off at %d tokens)"
              .formatted(dataset.size(), truncated, encoder.options().maxLength()),
          "at least one token to learn");
    }
    return dataset;
  }
}
