package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// WebNLG (Gardent et al. 2017): a text that says what some triples say, from the JSON or XML files
/// of release 2.1, the JSON of the 2017 challenge, or the Parquet of the Hugging Face data set
/// `web_nlg`.
///
/// The prompt is that of the LoRA paper's experiments: the triples of the modified set, `subject :
/// property : object`, with ` | ` between them. The references are the texts marked `good`; entries
/// without one are passed over and counted.
public final class WebNlg {
  /// What it is measured by.
  public static final List<String> METRICS = List.of("bleu", "meteor", "ter");

  /// The categories of the training set of the 2017 challenge. Results on "seen" data are on these,
  /// on "unseen" data on all others.
  public static final Set<String> SEEN =
      Set.of(
          "Airport",
          "Astronaut",
          "Building",
          "City",
          "ComicsCharacter",
          "Food",
          "Monument",
          "SportsTeam",
          "University",
          "WrittenWork");

  private static final List<String> HUB = List.of("category", "modified_triple_sets", "lex");

  private static final int MAX_BYTES = 1 << 29;

  private final Path file;
  private final List<GenerationRow> rows = new ArrayList<>();
  private int skipped;

  private WebNlg(Path file) {
    this.file = file;
  }

  /// Reads a file.
  ///
  /// @param file a `.json`, `.xml` or `.parquet` file
  /// @return one row per entry, with its category
  /// @throws MalformedFileException if it is not such a file
  /// @throws IOException if the file is missing or cannot be read
  public static TaskData<GenerationRow> read(Path file) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    WebNlg reader = new WebNlg(file);
    if (name.endsWith(".xml")) {
      WebNlgXml.read(file, reader::add);
    } else if (name.endsWith(".json")) {
      reader.readJson();
    } else if (name.endsWith(".parquet")) {
      Table.NAMED.read(file, reader::readRow);
    } else {
      throw new MalformedFileException(file, "name", name, "a .json, .xml or .parquet file");
    }
    return TaskData.of(file, reader.rows, reader.skipped);
  }

  /// Takes an entry.
  private void add(String category, List<String> triples, List<String> references) {
    if (references.isEmpty()) {
      skipped++;
    } else {
      rows.add(new GenerationRow(String.join(" | ", triples), references, category));
    }
  }

  private void readRow(TableRow row) throws MalformedFileException {
    row.columns(List.of(HUB));
    // one list of triples for each way to write the same set
    JsonTree sets = row.tree("modified_triple_sets").get("mtriple_set");
    List<String> triples = new ArrayList<>();
    for (JsonTree triple :
        sets.items().isEmpty() ? sets.items() : sets.items().getFirst().items()) {
      triples.add(triple(triple.file(), triple.place(), triple.text()));
    }
    List<JsonTree> texts = row.tree("lex").get("text").items();
    List<JsonTree> comments = row.tree("lex").get("comment").items();
    if (texts.size() != comments.size()) {
      throw row.wrong("lex", texts.size() + " texts, " + comments.size() + " comments", "as many");
    }
    List<String> references = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      if (comments.get(i).text().equals("good")) {
        references.add(texts.get(i).text());
      }
    }
    add(row.text("category"), triples, references);
  }

  /// Returns `subject : property : object` from `subject | property | object`.
  static String triple(Path file, String place, String text) throws MalformedFileException {
    String[] parts = text.strip().split(" \\| ", -1);
    if (parts.length != 3) {
      throw new MalformedFileException(
          file, place, '"' + text.strip() + '"', "subject | property | object");
    }
    return String.join(" : ", parts);
  }

  private void readJson() throws IOException {
    ObjectNode root = StrictJson.read(file, MAX_BYTES);
    JsonTree entries = new JsonTree(file, "file", root).get("entries");
    for (JsonTree wrapped : entries.items()) {
      JsonTree entry = wrapped.only();
      List<String> triples = new ArrayList<>();
      for (JsonTree triple : entry.get("modifiedtripleset").items()) {
        triples.add(
            "%s : %s : %s"
                .formatted(
                    triple.get("subject").text(),
                    triple.get("property").text(),
                    triple.get("object").text()));
      }
      List<String> references = new ArrayList<>();
      for (JsonTree text : entry.get("lexicalisations").items()) {
        if (text.get("comment").text().equals("good")) {
          references.add(text.get("lex").text());
        }
      }
      add(entry.get("category").text(), triples, references);
    }
  }
}
