package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Checkpoints that were cut, changed, or belong to another run: one line each, nothing left open.
class MalformedCheckpointTest {
  private static final TrainOptions OPTIONS =
      Runs.options(Dropout.NONE, Runs.inOrder(2, 1), 0.01, 3);

  @TempDir private Path checkpoints;

  @BeforeEach
  void makeCheckpoint() throws IOException {
    run("llama", "all-linear");
  }

  private Path file() {
    return checkpoints.resolve("checkpoint-00000003.safetensors");
  }

  private void run(String model, String variant) throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open(model, variant, DType.F32)) {
      Dataset rows = Runs.rows("llama", 0, 4);
      new Trainer(adapted.model(), adapted.adapter(), OPTIONS, checkpoints)
          .run(rows, null, true, Runs.SILENT);
    }
  }

  private void assertRefused(CharSequence... parts) {
    long before = NativeMemory.liveTensors();
    assertThatThrownBy(() -> run("llama", "all-linear"))
        .isInstanceOf(MalformedFileException.class)
        .message()
        .startsWith(file() + ": ")
        .contains(parts)
        .contains(": found ", ", expected ")
        .doesNotContain("\n");
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.0001, 0.05, 0.5, 0.9999})
  void cutFile(double share) throws IOException {
    byte[] bytes = Files.readAllBytes(file());
    Files.write(file(), Arrays.copyOf(bytes, (int) (share * bytes.length)));
    assertRefused(": found ");
  }

  @Test
  void headerThatIsNoJson() throws IOException {
    byte[] bytes = Files.readAllBytes(file());
    bytes[8] = 'x';
    Files.write(file(), bytes);
    assertRefused(": found ");
  }

  @Test
  void noRunState() throws IOException {
    rewrite(Map.of("format", "pt"), name -> true);
    assertRefused("no gatun.run");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"step\":1}",
        "{\"step\":\"x\"}",
        "{\"step\":1,\"epoch\":0,\"place\":1,\"losses\":[null],\"divergences\":[0],"
            + "\"evaluations\":[],\"bestStep\":-1,\"settings\":{}}",
        "{\"step\":0,\"epoch\":-1,\"place\":1,\"losses\":[],\"divergences\":[],"
            + "\"evaluations\":[],\"bestStep\":-1,\"settings\":{}}",
        "{\"step\":2,\"epoch\":0,\"place\":1,\"losses\":[1],\"divergences\":[0],"
            + "\"evaluations\":[],\"bestStep\":-1,\"settings\":{}}"
      })
  void runStateThatIsNone(String json) throws IOException {
    rewrite(Map.of("gatun.run", json), name -> true);
    assertRefused("gatun.run");
  }

  @ParameterizedTest
  @ValueSource(strings = {"trained.", "optimizer."})
  void missingTensors(String prefix) throws IOException {
    rewrite(Map.of(), name -> !name.startsWith(prefix));
    assertRefused("tensor '" + prefix, "found nothing", "as this run trains");
  }

  @Test
  void adapterOfAnotherShape() {
    long before = NativeMemory.liveTensors();
    assertThatThrownBy(() -> run("llama", "patterns"))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("tensor 'trained.")
        .hasMessageContaining("as this run trains")
        .message()
        .doesNotContain("\n");
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  private void rewrite(Map<String, String> changed, Predicate<String> kept) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile stored = SafetensorsFile.open(file(), arena);
      Map<String, String> metadata = new HashMap<>(stored.metadata());
      if (!changed.isEmpty()) {
        metadata.clear();
        metadata.putAll(changed);
      }
      List<TensorEntry> entries =
          stored.tensors().values().stream().filter(entry -> kept.test(entry.name())).toList();
      SafetensorsWriter.write(file(), entries, metadata);
    }
  }
}
