package dev.gatun.models.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Settings that the parity tests would notice: each small change moves the logits a hundred times
/// further than those tests allow.
class SensitivityTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gpt2|\"layer_norm_epsilon\": 0.01|\"layer_norm_epsilon\": 0.00001",
        "llama|\"rms_norm_eps\": 0.01|\"rms_norm_eps\": 0.00001",
        "llama|\"rope_theta\": 10000.0|\"rope_theta\": 9000.0",
        "llama|\"num_attention_heads\": 4|\"num_attention_heads\": 4",
        "llama3|\"factor\": 8.0|\"factor\": 4.0",
        "llama3|\"low_freq_factor\": 1.0|\"low_freq_factor\": 2.0",
        "llama3|\"high_freq_factor\": 4.0|\"high_freq_factor\": 3.0",
        "llama3|\"original_max_position_embeddings\": 64|\"original_max_position_embeddings\": 32",
        "llama3|\"rope_type\": \"llama3\"|\"rope_type\": \"linear\"",
        "llama-linear|\"rope_type\": \"linear\"|\"rope_type\": \"default\"",
        "mistral|\"sliding_window\": 6|\"sliding_window\": 7",
        "mistral|\"sliding_window\": 6|\"sliding_window\": 5",
        "mistral|\"sliding_window\": 6|\"sliding_window\": null",
        "qwen2|\"rope_theta\": 1000000.0|\"rope_theta\": 10000.0",
        "qwen3|\"rope_theta\": 5000.0|\"rope_theta\": 10000.0"
      })
  void wrongSettingMovesTheLogits(String name, String right, String wrong, @TempDir Path directory)
      throws IOException {
    double moved =
        moved(
            name,
            directory,
            text -> {
              assertThat(text).contains(right);
              return text.replace(right, wrong);
            });
    if (right.equals(wrong)) {
      assertThat(moved).isLessThan(1e-5);
    } else {
      assertThat(moved).isGreaterThan(1e-3);
    }
  }

  /// The fixture's layers see every key; so do those with sliding windows of null.
  @Test
  void slidingWindowsOfNullAreNone(@TempDir Path directory) throws IOException {
    double moved =
        moved(
            "qwen2",
            directory,
            text ->
                text.replaceAll("(?s)\"layer_types\": \\[.*?\\],", "")
                    .replace("\"max_window_layers\": 28", "\"max_window_layers\": 0")
                    .replace("\"use_sliding_window\": false", "\"use_sliding_window\": true"));
    assertThat(moved).isLessThan(1e-5);
  }

  /// Returns how far the logits are from the fixture's after a change of its config.
  private static double moved(String name, Path directory, UnaryOperator<String> edit)
      throws IOException {
    try (var files = Files.list(Parity.model(name))) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    Path config = directory.resolve("config.json");
    String text = Files.readString(config);
    Files.writeString(config, edit.apply(text));
    SafetensorsFile cases = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    int[] ids = Parity.ints(cases, "ids.2");
    try (CausalLm model =
            ModelDirectory.read(directory)
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = TestDevice.open()) {
      double[] logits = Parity.doubles(Parity.logits(scope, model, PassAddition.NONE, ids));
      return Parity.distance(logits, Parity.doubles(cases, "logits64.2"));
    }
  }
}
