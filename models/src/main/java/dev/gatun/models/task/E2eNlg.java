package dev.gatun.models.task;

import dev.gatun.models.data.TextLines;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The E2E NLG challenge (Novikova et al. 2017, arXiv:1706.09254): a description of a restaurant
/// from its attributes.
///
/// | file | holds |
/// |---|---|
/// | `.csv`, `.tsv`, `.jsonl`, `.json`, `.parquet` | columns `mr` and `ref`, or Hugging Face's `meaning_representation` and `human_reference` |
/// | `.txt` | lines `prompt\|\|reference`, as the experiments of the LoRA paper have them; the prompt is taken as it stands |
///
/// A meaning representation `name[The Eagle], food[French]` becomes the prompt `name : The Eagle |
/// food : French`. The LoRA paper's files have this form too, with other names for some attributes
/// and with values split at punctuation.
public final class E2eNlg {
  /// What it is measured by.
  public static final List<String> METRICS = List.of("bleu", "nist", "meteor", "rougeL", "cider");

  private static final List<String> OFFICIAL = List.of("mr", "ref");
  private static final List<String> HUB = List.of("meaning_representation", "human_reference");
  private static final Pattern ATTRIBUTE =
      Pattern.compile("([^\\[\\],]+)\\[([^\\[\\]]*)\\](, *|$)");

  private E2eNlg() {}

  /// Reads a file.
  ///
  /// @param file a file of one of the kinds above
  /// @return one row per prompt
  /// @throws MalformedFileException if a column is missing, or a meaning representation is not one
  /// @throws IOException if the file is missing or cannot be read
  public static TaskData<GenerationRow> read(Path file) throws IOException {
    References references = new References();
    if (file.toString().toLowerCase(Locale.ROOT).endsWith(".txt")) {
      readLines(file, references);
    } else {
      Table.NAMED.read(
          file,
          row -> {
            List<String> columns = row.columns(List.of(OFFICIAL, HUB));
            references.add(prompt(row, columns.getFirst()), row.text(columns.getLast()));
          });
    }
    return TaskData.of(file, references.rows(), 0);
  }

  private static void readLines(Path file, References references) throws IOException {
    try (TextLines lines = new TextLines(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        String[] parts = line.strip().split("\\|\\|", -1);
        if (parts.length == 2) {
          references.add(parts[0], parts[1]);
        } else if (!line.isBlank()) {
          throw new MalformedFileException(
              file, lines.place(), (parts.length - 1) + " times ||", "prompt||reference");
        }
      }
    }
  }

  private static String prompt(TableRow row, String column) throws MalformedFileException {
    String text = row.text(column).strip();
    List<String> attributes = new ArrayList<>();
    Matcher matcher = ATTRIBUTE.matcher(text);
    while (matcher.lookingAt()) {
      attributes.add(matcher.group(1).strip() + " : " + matcher.group(2).strip());
      matcher.region(matcher.end(), text.length());
    }
    if (attributes.isEmpty() || matcher.regionStart() < text.length()) {
      throw row.wrong(column, row.found(column), "attributes such as name[The Eagle], food[Thai]");
    }
    return String.join(" | ", attributes);
  }
}
