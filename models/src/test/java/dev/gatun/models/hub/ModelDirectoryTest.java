package dev.gatun.models.hub;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.SafetensorsDirectory;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which files make a model, how its weights are held, and what is said of files that do not fit.
class ModelDirectoryTest {
  @TempDir private Path directory;

  private static float[] logits(Path directory) throws IOException {
    int[] ids = Parity.examples("llama").getLast().ids();
    try (CausalLm model = ModelDirectory.read(directory).open(DType.F32, Use.FROZEN);
        Scope scope = Scope.open()) {
      return Parity.logits(scope, model, PassAddition.NONE, ids).toFloats();
    }
  }

  /// Writes a tiny model with other weights.
  private void write(String name, Consumer<Map<String, TensorEntry>> change) throws IOException {
    Files.copy(Parity.model(name).resolve("config.json"), directory.resolve("config.json"));
    try (Arena arena = Arena.ofConfined()) {
      Map<String, TensorEntry> entries =
          new TreeMap<>(SafetensorsDirectory.open(Parity.model(name), arena).tensors());
      change.accept(entries);
      SafetensorsWriter.write(
          directory.resolve("model.safetensors"), entries.values(), SafetensorsWriter.PYTORCH);
    }
  }

  private static void rename(Map<String, TensorEntry> entries, String from, String to) {
    TensorEntry entry = requireNonNull(entries.remove(from));
    entries.put(to, new TensorEntry(to, entry.dtype(), entry.shape(), entry.data()));
  }

  @SuppressWarnings("MustBeClosedChecker") // never opened
  private void assertRefused(String... parts) throws IOException {
    long before = NativeMemory.liveTensors();
    ModelDirectory read = ModelDirectory.read(directory);
    assertThatThrownBy(() -> read.open(DType.F32, Use.FROZEN).close())
        .isInstanceOf(MalformedFileException.class)
        .message()
        .startsWith(directory.toString())
        .contains(parts)
        .contains("found ", ", expected ")
        .doesNotContain("\n");
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  @Test
  void everythingWrongIsSaidInOneMessage() throws IOException {
    write(
        "llama",
        entries -> {
          entries.remove("model.norm.weight");
          rename(entries, "lm_head.weight", "head.weight");
          String q = "model.layers.1.self_attn.q_proj.weight";
          TensorEntry entry = requireNonNull(entries.get(q));
          entries.put(q, new TensorEntry(q, entry.dtype(), List.of(16L, 64L), entry.data()));
        });
    assertRefused(
        "missing: model.norm.weight, lm_head.weight; ",
        "wrong shape or type: model.layers.1.self_attn.q_proj.weight is (16, 64), not (32, 32); ",
        "unexpected: head.weight");
  }

  @Test
  void longListsAreCut() throws IOException {
    write("llama", entries -> entries.keySet().removeIf(name -> name.contains("layers.2.")));
    assertRefused("missing: model.layers.2.input_layernorm.weight, ", " and 6 more");
  }

  @Test
  void weightsThatAreNoNumbersOfTheirKindAreRefused() throws IOException {
    String name = "model.norm.weight";
    write(
        "llama",
        entries -> {
          TensorEntry entry = requireNonNull(entries.get(name));
          entries.put(name, new TensorEntry(name, DType.I32, entry.shape(), entry.data()));
        });
    assertRefused("wrong shape or type: " + name + " is I32");
  }

  @Test
  void missingWeightsFileAndMissingShardAreNamed() throws IOException {
    Files.copy(Parity.model("llama3").resolve("config.json"), directory.resolve("config.json"));
    assertRefused("model.safetensors");
    for (String file :
        List.of("model.safetensors.index.json", "model-00001-of-00003.safetensors")) {
      Files.copy(Parity.model("llama3").resolve(file), directory.resolve(file));
    }
    assertRefused("model-0000");
  }

  @ParameterizedTest
  @CsvSource({"llama,model.", "gpt2,transformer."})
  void backbonesPrefixMayBeMissing(String name, String prefix) throws IOException {
    write(
        name,
        entries ->
            List.copyOf(entries.keySet()).stream()
                .filter(key -> key.startsWith(prefix))
                .forEach(key -> rename(entries, key, key.substring(prefix.length()))));
    assertThat(logits(directory)).isEqualTo(logits(Parity.model(name)));
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,transformer.wte.weight",
    "qwen3,model.embed_tokens.weight",
    "llama-bias,model.embed_tokens.weight"
  })
  void tiedHeadMayBeStoredUnderEitherNameOrBoth(String name, String embedding) throws IOException {
    write(name, entries -> rename(entries, embedding, "lm_head.weight"));
    float[] expected = logits(Parity.model(name));
    assertThat(logits(directory)).isEqualTo(expected);
    Files.delete(directory.resolve("config.json"));
    write(
        name,
        entries -> {
          TensorEntry entry = requireNonNull(entries.get(embedding));
          entries.put(
              "lm_head.weight",
              new TensorEntry("lm_head.weight", entry.dtype(), entry.shape(), entry.data()));
        });
    assertThat(logits(directory)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,transformer.h.0.attn.bias",
    "gpt2,h.1.attn.masked_bias",
    "llama,model.layers.0.self_attn.rotary_emb.inv_freq"
  })
  void buffersOfOldCheckpointsAreNoWeights(String name, String buffer) throws IOException {
    write(
        name,
        entries -> {
          TensorEntry some = entries.values().iterator().next();
          entries.put(buffer, new TensorEntry(buffer, some.dtype(), some.shape(), some.data()));
        });
    assertThat(logits(directory)).isEqualTo(logits(Parity.model(name)));
  }

  @Test
  void untiedHeadMayNotBeMissing() throws IOException {
    write("llama", entries -> entries.remove("lm_head.weight"));
    assertRefused("missing: lm_head.weight");
  }

  @Test
  void dataThatIsNotAlignedGivesTheSameModel() throws IOException {
    Files.copy(Parity.model("llama").resolve("config.json"), directory.resolve("config.json"));
    byte[] bytes = Files.readAllBytes(Parity.model("llama").resolve("model.safetensors"));
    ByteBuffer source = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(source.getLong(0));
    ByteBuffer shifted = ByteBuffer.allocate(bytes.length + 1).order(ByteOrder.LITTLE_ENDIAN);
    shifted.putLong(header + 1L).put(bytes, 8, header).put((byte) ' ');
    shifted.put(bytes, 8 + header, bytes.length - 8 - header);
    Files.write(directory.resolve("model.safetensors"), shifted.array());
    assertThat(logits(directory)).isEqualTo(logits(Parity.model("llama")));
  }

  static List<String> architectures() {
    return Parity.architectures();
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void configsOfBothGenerationsGiveTheSameModel(String name) throws IOException {
    Path source = Parity.model(name);
    Path other = source.resolve(name.equals("llama") ? "config.v5.json" : "config.v4.json");
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    Files.delete(directory.resolve("config.json"));
    Files.copy(other, directory.resolve("config.json"));
    assertThat(Files.readString(other))
        .isNotEqualTo(Files.readString(source.resolve("config.json")));
    assertThat(logits(directory)).isEqualTo(logits(source));
    assertThat(ModelDirectory.read(directory).weightType()).isEqualTo(DType.F32);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama3", "gpt2"})
  void frozenWeightsAreMappedAndTrainedOnesCopied(String name) throws IOException {
    ModelDirectory read = ModelDirectory.read(Parity.model(name));
    long elements = 0;
    long before = NativeMemory.liveBytes();
    try (CausalLm model = read.open(DType.F32, Use.FROZEN)) {
      assertThat(NativeMemory.liveBytes()).isEqualTo(before);
      for (Param param : model.params()) {
        assertThat(param.value().isReadOnly()).as(param.name()).isTrue();
        elements += param.value().elements();
      }
    }
    try (CausalLm model = read.open(DType.F32, Use.TRAINED)) {
      assertThat(NativeMemory.liveBytes() - before).isEqualTo(4 * elements);
      assertThat(model.params()).noneMatch(param -> param.value().isReadOnly());
    }
    try (CausalLm model = read.open(DType.BF16, Use.FROZEN)) {
      assertThat(model.computeType()).isEqualTo(DType.BF16);
      assertThat(NativeMemory.liveBytes() - before).isLessThanOrEqualTo(2 * elements);
    }
    assertThat(NativeMemory.liveBytes()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "qwen3", "llama-bias"})
  void freshWeightsHaveTheConfigsStatistics(String name) throws IOException {
    ModelDirectory read = ModelDirectory.read(Parity.model(name));
    double sum = 0;
    double squares = 0;
    double count = 0;
    try (CausalLm model = read.fresh(DType.F32, 5);
        CausalLm same = read.fresh(DType.F32, 5);
        CausalLm other = read.fresh(DType.F32, 6)) {
      for (int i = 0; i < model.params().size(); i++) {
        Param param = model.params().get(i);
        float[] values = param.value().toFloats();
        assertThat(same.params().get(i).value().toFloats()).isEqualTo(values);
        assertThat(param.value().isReadOnly()).isFalse();
        if (param.value().rank() == 1) {
          float constant = param.name().endsWith(".bias") ? 0 : 1;
          assertThat(values).as(param.name()).containsOnly(constant);
        } else {
          assertThat(other.params().get(i).value().toFloats()).isNotEqualTo(values);
          for (float value : values) {
            sum += value;
            squares += value * value;
            count++;
          }
        }
      }
    }
    double standardDeviation = Math.sqrt(squares / count);
    assertThat(sum / count).isCloseTo(0, within(5 * 0.02 / Math.sqrt(count)));
    assertThat(standardDeviation).isCloseTo(0.02, within(5 * 0.02 / Math.sqrt(2 * count)));
  }

  @Test
  void writtenModelIsReadBackWithItsCompanions() throws IOException {
    ModelDirectory read = ModelDirectory.read(Parity.model("qwen3"));
    Path target = directory.resolve("deep/copy");
    try (CausalLm model = read.fresh(DType.F32, 5)) {
      Map<String, Tensor> weights = new TreeMap<>();
      model.params().forEach(param -> weights.put(param.name(), param.value()));
      read.write(target, weights);
      read.write(directory.resolve("again"), weights);
      try (CausalLm back = ModelDirectory.read(target).open(DType.F32, Use.FROZEN)) {
        for (Param param : back.params()) {
          Tensor written = requireNonNull(weights.get(param.name()));
          assertThat(param.value().toFloats()).isEqualTo(written.toFloats());
        }
      }
    }
    for (String file : List.of("config.json", "generation_config.json")) {
      assertThat(target.resolve(file)).hasSameBinaryContentAs(Parity.model("qwen3").resolve(file));
    }
    assertThat(target.resolve("model.safetensors"))
        .hasSameBinaryContentAs(directory.resolve("again/model.safetensors"));
  }
}
