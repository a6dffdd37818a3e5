package dev.gatun.models.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AdapterDirectoryTest {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String Q = "base_model.model.model.layers.0.self_attn.q_proj.";

  @TempDir Path temporary;
  private Path adapter;

  @BeforeEach
  void copyTheAdapterThatPeftWrote() throws IOException {
    adapter = Files.createDirectory(temporary.resolve("adapter"));
    for (String name : List.of(CONFIG, WEIGHTS)) {
      try (InputStream in =
          Objects.requireNonNull(
              AdapterDirectoryTest.class.getResourceAsStream("/peft/adapter/" + name))) {
        Files.copy(in, adapter.resolve(name));
      }
    }
  }

  @Test
  void readsWhatPeftWroteAndWritesTheSameBytes() throws IOException {
    Path copy = temporary.resolve("made/copy");
    try (Arena arena = Arena.ofConfined()) {
      AdapterDirectory read = AdapterDirectory.open(adapter, PeftFixture.tree("llama"), arena);
      assertThat(read.match().targets())
          .containsExactly(
              new LoraTarget("model.layers.0.self_attn.q_proj", 2, 6, 3),
              new LoraTarget("model.layers.0.mlp.down_proj", 3, 6, 2),
              new LoraTarget("model.layers.1.self_attn.q_proj", 2, 6, 3),
              new LoraTarget("model.layers.1.mlp.down_proj", 3, 6, 2));
      assertThat(read.tensors()).containsKey("base_model.model.model.norm.weight").hasSize(13);
      AdapterDirectory.write(copy, read.match().config(), read.tensors().values());
    }
    for (String name : List.of(CONFIG, WEIGHTS)) {
      assertThat(copy.resolve(name)).hasSameBinaryContentAs(adapter.resolve(name));
    }
  }

  record Row(
      String title,
      String model,
      Consumer<Map<String, TensorEntry>> change,
      String place,
      String found,
      String expected) {
    @Override
    public String toString() {
      return title;
    }
  }

  @ParameterizedTest
  @MethodSource("weightsThatDoNotFit")
  void refusesWeightsInOneLine(Row row) throws IOException {
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    try (Arena arena = Arena.ofConfined()) {
      tensors.putAll(AdapterDirectory.open(adapter, PeftFixture.tree("llama"), arena).tensors());
      row.change().accept(tensors);
      SafetensorsWriter.write(
          adapter.resolve(WEIGHTS), tensors.values(), SafetensorsWriter.PYTORCH);
    }
    MalformedFileException e = refusal(row.model());
    assertThat(e.file()).isEqualTo(adapter.resolve(WEIGHTS).toString());
    assertThat(e.place()).isEqualTo(row.place());
    assertThat(e.found()).isEqualTo(row.found());
    assertThat(e.expected()).isEqualTo(row.expected());
    assertThat(e.getMessage()).doesNotContain("\n");
  }

  static Stream<Row> weightsThatDoNotFit() {
    String a = Q + "lora_A.weight";
    String b = Q + "lora_B.weight";
    String k = Q.replace("q_proj", "k_proj") + "lora_A.weight";
    String layer7 = Q.replace("layers.0", "layers.7") + "lora_B.weight";
    return Stream.of(
        row("A without B", t -> t.remove(b), b, "none beside " + a, "a tensor of shape [8, 2]"),
        row("B without A", t -> t.remove(a), a, "none beside " + b, "a tensor of shape [2, 8]"),
        row(
            "neither",
            t -> {
              t.remove(a);
              t.remove(b);
            },
            a,
            "none (and 1 more faults, next: tensor '" + b + "')",
            "a tensor of shape [2, 8]"),
        row(
            "other rank",
            t -> put(t, a, DType.F32, 4, 8),
            a,
            "rank 4",
            "rank 2, as r or rank_pattern says"),
        row(
            "rank 4 in both",
            t -> {
              put(t, a, DType.F32, 4, 8);
              put(t, b, DType.F32, 8, 4);
            },
            a,
            "rank 4 (and 1 more faults, next: tensor '" + b + "')",
            "rank 2, as r or rank_pattern says"),
        row(
            "other input size",
            t -> put(t, a, DType.F32, 2, 16),
            a,
            "shape [2, 16]",
            "shape [2, 8]; wrong base model?"),
        row(
            "one dimension",
            t -> put(t, a, DType.F32, 16),
            a,
            "shape [16]",
            "shape [2, 8]; wrong base model?"),
        row(
            "layer not targeted",
            t -> put(t, k, DType.F32, 2, 8),
            k,
            "a layer that target_modules leaves out",
            "only its layers"),
        row(
            "layer not in the model",
            t -> put(t, layer7, DType.F32, 8, 2),
            layer7,
            "a part that the base model lacks",
            "parts of it; wrong base model?"),
        row(
            "name without prefix",
            t -> put(t, "model.norm.weight", DType.F32, 8),
            "model.norm.weight",
            "this name",
            "one that starts with base_model.model."),
        row(
            "DoRA",
            t -> put(t, Q + "lora_magnitude_vector", DType.F32, 8),
            Q + "lora_magnitude_vector",
            "lora_magnitude_vector",
            "no such part, for use_dora is false"),
        row(
            "part of an embedding's adapter",
            t -> put(t, Q + "lora_embedding_A", DType.F32, 8),
            Q + "lora_embedding_A",
            "lora_embedding_",
            "no such part, for it is not supported"),
        row(
            "whole weight that nothing names",
            t -> put(t, "base_model.model.lm_head.weight", DType.F32, 20, 8),
            "base_model.model.lm_head.weight",
            "a weight that the configuration does not name",
            "adapter matrices, and what bias and modules_to_save ask for"),
        row(
            "saved module is missing",
            t -> t.remove("base_model.model.model.norm.weight"),
            "base_model.model.model.norm.weight",
            "none",
            "a tensor of shape [8]"),
        row("integers", t -> put(t, a, DType.I32, 2, 8), a, "I32", "a float type"),
        row(
            "NaN",
            t -> {
              MemorySegment data = put(t, a, DType.F32, 2, 8);
              data.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 9, Float.NaN);
            },
            a,
            "NaN or infinity at element 9",
            "finite values"));
  }

  @Test
  void takesTheBaseWeightThatPeftAddsForAnOutputHead() throws IOException {
    ModuleTree llama = PeftFixture.tree("llama");
    TargetMatch match =
        TargetMatcher.match(
            LoraConfig.of(2, 2, new TargetModules.Names(List.of("lm_head"))), llama);
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    put(tensors, AdapterKeys.loraA("lm_head"), DType.F32, 2, 8);
    put(tensors, AdapterKeys.loraB("lm_head"), DType.F32, 20, 2);
    put(tensors, AdapterKeys.baseWeight("lm_head"), DType.F32, 20, 8);
    AdapterDirectory.write(adapter, match.config(), tensors.values());
    try (Arena arena = Arena.ofConfined()) {
      assertThat(AdapterDirectory.open(adapter, llama, arena).baseWeights())
          .containsOnlyKeys("lm_head");
    }
    put(tensors, AdapterKeys.baseWeight("lm_head"), DType.F32, 21, 8);
    AdapterDirectory.write(adapter, match.config(), tensors.values());
    assertThat(refusal("llama").found()).isEqualTo("shape [21, 8]");
  }

  @Test
  void aBaseModelOfAnotherKindIsNamedAsTheCause() {
    MalformedFileException config = refusal("gpt2");
    assertThat(config.file()).isEqualTo(adapter.resolve(CONFIG).toString());
    assertThat(config.place()).isEqualTo("target_modules");
    assertThat(config.found()).isEqualTo("no layer of the model for [down_proj, q_proj]");
    assertThat(config.expected()).endsWith("wrong base model?");

    MalformedFileException weights = refusal("qwen3");
    assertThat(weights.file()).isEqualTo(adapter.resolve(WEIGHTS).toString());
    assertThat(weights.expected()).endsWith("wrong base model?");
  }

  @Test
  void missingFilesAndPicklesAreNamed() throws IOException {
    Files.move(adapter.resolve(WEIGHTS), adapter.resolve("adapter_model.bin"));
    assertThat(refusal("llama"))
        .hasMessage(
            adapter
                + ": adapter: found only adapter_model.bin, a pickle, which can run code, expected "
                + WEIGHTS);
    Files.delete(adapter.resolve("adapter_model.bin"));
    assertThat(refusal("llama"))
        .hasMessage(adapter + ": adapter: found no " + WEIGHTS + ", expected " + WEIGHTS);
    Files.delete(adapter.resolve(CONFIG));
    assertThat(refusal("llama"))
        .hasMessage(adapter + ": adapter: found no " + CONFIG + ", expected " + CONFIG);
  }

  private MalformedFileException refusal(String model) {
    try (Arena arena = Arena.ofConfined()) {
      MalformedFileException e =
          catchThrowableOfType(
              MalformedFileException.class,
              () -> AdapterDirectory.open(adapter, PeftFixture.tree(model), arena));
      assertThat(e).isNotNull();
      return e;
    }
  }

  private static Row row(
      String title,
      Consumer<Map<String, TensorEntry>> change,
      String tensor,
      String found,
      String expected) {
    return new Row(title, "llama", change, "tensor '" + tensor + "'", found, expected);
  }

  private static MemorySegment put(
      Map<String, TensorEntry> tensors, String name, DType dtype, long... sizes) {
    List<Long> shape = new ArrayList<>();
    int bytes = dtype.bytes();
    for (long size : sizes) {
      shape.add(size);
      bytes *= (int) size;
    }
    MemorySegment data = MemorySegment.ofArray(new byte[bytes]);
    tensors.put(name, new TensorEntry(name, dtype, shape, data));
    return data;
  }
}
