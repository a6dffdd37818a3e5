package dev.gatun.cli.study;

import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// What a study has done, on disk: `recipe.yaml` as it was, `costs.json`, and a line of
/// `runs.jsonl` for each run, written when the run has ended. A line that a kill cut off is
/// dropped.
public final class Journal {
  /// Name of the costs of the methods that may share a pass, in one.
  static final String TOGETHER = "all in one pass";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path folder;
  private final List<RunRecord> records;
  private List<Costs> costs;

  private Journal(Path folder, List<RunRecord> records, List<Costs> costs) {
    this.folder = folder;
    this.records = records;
    this.costs = costs;
  }

  /// Opens the journal of a folder, a new one where there is none.
  ///
  /// @param folder made if missing
  /// @param recipe text of the recipe
  /// @return the journal
  /// @throws IllegalArgumentException if the folder is of a study with another recipe
  /// @throws IOException if a file cannot be read or written
  public static Journal open(Path folder, String recipe) throws IOException {
    Files.createDirectories(folder);
    Path kept = folder.resolve("recipe.yaml");
    if (!Files.exists(kept)) {
      AtomicFile.write(kept, recipe);
    } else if (!Files.readString(kept).equals(recipe)) {
      throw new IllegalArgumentException(
          kept + ": found another recipe than this study's, expected the same or another --out");
    }
    Path file = folder.resolve("costs.json");
    List<Costs> costs =
        Files.exists(file) ? Arrays.asList(JSON.readValue(file, Costs[].class)) : List.of();
    return new Journal(folder, read(folder.resolve("runs.jsonl")), costs);
  }

  private static List<RunRecord> read(Path file) throws IOException {
    List<RunRecord> records = new ArrayList<>();
    if (!Files.exists(file)) {
      return records;
    }
    String text = Files.readString(file);
    int whole = text.lastIndexOf('\n') + 1;
    if (whole < text.length()) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(text.substring(0, whole).getBytes(StandardCharsets.UTF_8).length);
      }
    }
    int number = 0;
    for (String line : text.substring(0, whole).lines().toList()) {
      number++;
      try {
        records.add(JSON.readValue(line, RunRecord.class));
      } catch (JacksonException e) {
        throw new MalformedFileException(file, "line " + number, "no run", "a run of this study");
      }
    }
    return records;
  }

  List<Costs> costs() {
    return costs;
  }

  void keep(List<Costs> measured) throws IOException {
    costs = List.copyOf(measured);
    AtomicFile.write(folder.resolve("costs.json"), JSON.writeValueAsString(costs));
  }

  boolean has(String method, long seed) {
    return records.stream().anyMatch(r -> r.method().equals(method) && r.seed() == seed);
  }

  void add(RunRecord record) throws IOException {
    byte[] line = (JSON.writeValueAsString(record) + "\n").getBytes(StandardCharsets.UTF_8);
    Path file = folder.resolve("runs.jsonl");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      ByteBuffer bytes = ByteBuffer.wrap(line);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(false);
    }
    records.add(record);
  }

  List<RunRecord> records() {
    return List.copyOf(records);
  }

  /// Returns the methods whose runs may share a pass.
  static List<Recipe.Method> sharing(Recipe recipe) {
    return recipe.methods().stream().filter(m -> m.trainee().sharesPasses()).toList();
  }

  /// Returns the runs of each method, in the order of their seeds.
  static Map<String, List<RunRecord>> byMethod(Recipe recipe, List<RunRecord> records) {
    Map<String, List<RunRecord>> all = new LinkedHashMap<>();
    for (Recipe.Method method : recipe.methods()) {
      all.put(
          method.name(),
          records.stream()
              .filter(r -> r.method().equals(method.name()))
              .sorted(Comparator.comparingLong(RunRecord::seed))
              .toList());
    }
    return all;
  }
}
