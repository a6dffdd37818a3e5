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
/// of release 2.1, or the JSON of the 2017 challenge.
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

  private static final int MAX_BYTES = 1 << 29;

  private final Path file;
  private final List<GenerationRow> rows = new ArrayList<>();
  private int skipped;

  private WebNlg(Path file) {
    this.file = file;
  }

  /// Reads a file.
  ///
  /// @param file a `.json` or `.xml` file
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
    } else {
      throw new MalformedFileException(file, "name", name, "a .json or .xml file");
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
