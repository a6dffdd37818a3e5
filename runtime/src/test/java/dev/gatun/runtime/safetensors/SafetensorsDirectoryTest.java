package dev.gatun.runtime.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(LeakCheck.class)
class SafetensorsDirectoryTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String FIRST = "model-00001-of-00002.safetensors";
  private static final String SECOND = "model-00002-of-00002.safetensors";

  @TempDir Path temporary;
  private Path folder;

  @BeforeEach
  void writeShards() throws IOException {
    folder = Files.createDirectory(temporary.resolve("model"));
    write(folder.resolve(FIRST), "a", "b");
    write(folder.resolve(SECOND), "c");
  }

  @Test
  void opensShardsThroughTheIndex() throws IOException {
    index(weightMap("a", FIRST, "b", FIRST, "c", SECOND), 3);
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsDirectory read = SafetensorsDirectory.open(folder, arena);
      assertThat(read.tensors()).containsOnlyKeys("a", "b", "c");
      assertThat(read.warnings()).isEmpty();
    }
  }

  @Test
  void theSingleFileWins() throws IOException {
    write(folder.resolve("model.safetensors"), "x");
    index(weightMap("a", FIRST, "b", FIRST, "c", SECOND), 3);
    try (Arena arena = Arena.ofConfined()) {
      assertThat(SafetensorsDirectory.open(folder, arena).tensors()).containsOnlyKeys("x");
    }
  }

  @Test
  void warnsOfUnlistedTensorsAndAWrongTotal() throws IOException {
    index(weightMap("a", FIRST, "c", SECOND), 99);
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsDirectory read = SafetensorsDirectory.open(folder, arena);
      assertThat(read.tensors()).containsOnlyKeys("a", "c");
      assertThat(read.warnings())
          .containsExactly(
              folder.resolve(INDEX)
                  + ": tensor 'b' of "
                  + FIRST
                  + " is not listed and was left out",
              folder.resolve(INDEX)
                  + ": metadata.total_size: found 99, expected 3, the bytes of the tensors");
    }
  }

  @Test
  void followsTheLinksOfTheHubCache() throws IOException {
    Path snapshot = Files.createDirectories(temporary.resolve("hub/snapshots/0123"));
    Path blobs = Files.createDirectories(temporary.resolve("hub/blobs"));
    write(blobs.resolve("abcd"), "a");
    Files.createSymbolicLink(snapshot.resolve(FIRST), Path.of("../../blobs/abcd"));
    Files.writeString(snapshot.resolve(INDEX), weightMap("a", FIRST));
    try (Arena arena = Arena.ofConfined()) {
      assertThat(SafetensorsDirectory.open(snapshot, arena).tensors()).containsOnlyKeys("a");
    }
  }

  record Row(String title, String index, String place, String found, String expected) {
    @Override
    public String toString() {
      return title;
    }
  }

  @ParameterizedTest
  @MethodSource("malformedIndexes")
  void refusesAMalformedIndexInOneLine(Row row) throws IOException {
    write(temporary.resolve("outside.safetensors"), "a");
    Files.createSymbolicLink(
        folder.resolve("link.safetensors"), temporary.resolve("outside.safetensors"));
    write(folder.resolve("copy.safetensors"), "a");
    Files.writeString(folder.resolve(INDEX), row.index());
    MalformedFileException e = refusal();
    assertThat(e.file()).isEqualTo(folder.resolve(INDEX).toString());
    assertThat(e.place()).isEqualTo(row.place());
    assertThat(e.found())
        .isEqualTo(row.found().replace("OUTSIDE", temporary.toRealPath().toString()));
    assertThat(e.expected()).isEqualTo(row.expected());
    assertThat(e.getMessage()).doesNotContain("\n");
  }

  static Stream<Row> malformedIndexes() {
    String plain = "a plain file name that ends in .safetensors";
    List<Row> rows = new ArrayList<>();
    for (String name :
        List.of(
            "../outside.safetensors",
            "/etc/x.safetensors",
            "sub/x.safetensors",
            "..\\x.safetensors",
            "C:x.safetensors",
            "..",
            "",
            "x.bin")) {
      rows.add(
          new Row(
              "name '" + name + "'",
              weightMap("a", name.replace("\\", "\\\\")),
              "weight_map 'a'",
              "'" + name + "'",
              plain));
    }
    rows.addAll(
        List.of(
            new Row("no weight_map", "{}", "weight_map", "nothing", "an object"),
            new Row("list", "[]", "file", "an array", "an object"),
            new Row("map is a list", "{\"weight_map\":[]}", "weight_map", "an array", "an object"),
            new Row(
                "empty map",
                "{\"weight_map\":{}}",
                "weight_map",
                "an empty object",
                "at least one tensor"),
            new Row(
                "value is a number",
                "{\"weight_map\":{\"a\":1}}",
                "weight_map 'a'",
                "the number 1",
                "a file name"),
            new Row(
                "missing shard",
                weightMap("a", "gone.safetensors"),
                "shard gone.safetensors",
                "no such file",
                "a file beside the index"),
            new Row(
                "link out of the directory",
                weightMap("a", "link.safetensors"),
                "shard link.safetensors",
                "a link to OUTSIDE/outside.safetensors",
                "a file inside the directory"),
            new Row(
                "listed tensor is not in its shard",
                weightMap("a", FIRST, "d", FIRST),
                "weight_map 'd'",
                "no such tensor in " + FIRST,
                "the tensor there"),
            new Row(
                "listed tensor is in another shard",
                weightMap("a", SECOND, "b", FIRST),
                "weight_map 'a'",
                SECOND,
                FIRST + ", where the tensor is"),
            new Row(
                "tensor in two shards",
                weightMap("b", FIRST, "a", "copy.safetensors"),
                "tensor 'a'",
                "it in both copy.safetensors and " + FIRST,
                "one shard")));
    return rows.stream();
  }

  @ParameterizedTest
  @MethodSource("notJson")
  void refusesAnIndexThatIsNotStrictJson(String json) throws IOException {
    Files.writeString(folder.resolve(INDEX), json);
    MalformedFileException e = refusal();
    assertThat(e.place()).matches("line 1, column \\d+|file");
    assertThat(e.expected()).isEqualTo("valid JSON");
    assertThat(e.getMessage()).doesNotContain("\n");
  }

  static Stream<String> notJson() {
    return Stream.of(
        "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}",
        "{\"weight_map\":",
        "{} {}",
        "{\"a\":" + "[".repeat(100_000),
        "{\"a\":NaN}");
  }

  @Test
  void refusesPicklesAndEmptyDirectories() throws IOException {
    Files.delete(folder.resolve(FIRST));
    Files.delete(folder.resolve(SECOND));
    assertThat(refusal())
        .hasMessage(
            folder
                + ": weights: found none, expected model.safetensors or "
                + "model.safetensors.index.json");
    Files.createFile(folder.resolve("pytorch_model.bin"));
    assertThat(refusal())
        .hasMessage(
            folder
                + ": weights: found only pytorch_model.bin, a pickle, which can run code, expected "
                + "model.safetensors; Python's save_pretrained writes it");
  }

  private MalformedFileException refusal() {
    try (Arena arena = Arena.ofConfined()) {
      MalformedFileException e =
          catchThrowableOfType(
              MalformedFileException.class, () -> SafetensorsDirectory.open(folder, arena));
      assertThat(e).isNotNull();
      return e;
    }
  }

  private void index(String weightMap, long totalSize) throws IOException {
    String metadata = "{\"metadata\":{\"total_size\":" + totalSize + "},";
    Files.writeString(folder.resolve(INDEX), metadata + weightMap.substring(1));
  }

  private static String weightMap(String... pairs) {
    StringBuilder json = new StringBuilder("{\"weight_map\":{");
    for (int i = 0; i < pairs.length; i += 2) {
      json.append(i == 0 ? "" : ",");
      json.append("\"%s\":\"%s\"".formatted(pairs[i], pairs[i + 1]));
    }
    return json.append("}}").toString();
  }

  private static void write(Path file, String... names) throws IOException {
    List<TensorEntry> tensors = new ArrayList<>();
    for (String name : names) {
      tensors.add(SafetensorsRoundTripTest.entry(name, DType.U8, List.of(1L), new byte[1]));
    }
    SafetensorsWriter.write(file, tensors, Map.of());
  }
}
