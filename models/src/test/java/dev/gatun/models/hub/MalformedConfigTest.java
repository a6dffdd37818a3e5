package dev.gatun.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.Parity;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Configs that cannot be used: one line with the file, the key, what is there and what should be.
class MalformedConfigTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @TempDir private Path directory;

  private Path file() {
    return directory.resolve("config.json");
  }

  private void assertRefused(String key, String found, String expected) {
    assertThatThrownBy(() -> ModelDirectory.read(directory))
        .isInstanceOf(MalformedFileException.class)
        .message()
        .startsWith(file() + ": " + key + ": found " + found)
        .contains(", expected " + expected)
        .doesNotContain("\n");
  }

  /// One changed key of a good config each.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "llama | model_type | `bert` | `bert` | gpt2, llama, mistral",
        "llama | model_type | 7 | the number 7 | a string",
        "llama | model_type | null | null | gpt2, llama, mistral",
        "llama | hidden_size | -32 | the number -32 | a whole number above 0",
        "llama | hidden_size | `32` | `32` | a whole number above 0",
        "llama | hidden_size | 32.5 | the number 32.5 | a whole number above 0",
        "llama | hidden_size | 99999999999 | the number 99999999999 | a whole number above 0",
        "llama | num_hidden_layers | 0 | the number 0 | a whole number from 1",
        "llama | num_hidden_layers | 2000000000 | the number 2000000000 | a whole number from 1 to 1024",
        "gpt2 | n_layer | 2000000000 | the number 2000000000 | a whole number from 1 to 1024",
        "llama | num_key_value_heads | 3 | 3 | a divisor of num_attention_heads = 4",
        "gpt2 | n_head | 5 | 5 | a divisor of n_embd = 32",
        "llama | head_dim | 7 | the number 7 | an even number",
        "llama | hidden_act | `gelu` | `gelu` | silu",
        "gpt2 | activation_function | `relu` | `relu` | gelu_new or",
        "gpt2 | tie_word_embeddings | false | false | true",
        "gpt2 | scale_attn_by_inverse_layer_idx | true | true | false",
        "gpt2 | add_cross_attention | true | true | false",
        "gpt2 | layer_norm_epsilon | 0 | the number 0 | a number above 0",
        "llama | rms_norm_eps | `small` | `small` | a number above 0",
        "llama | tie_word_embeddings | 1 | the number 1 | true or false",
        "llama | attention_bias | `yes` | `yes` | true or false",
        "llama | rope_theta | -1 | the number -1 | a number above 0",
        "llama | rope_scaling | {`type`:`yarn`,`factor`:2} | `yarn` | default, linear or llama3",
        "llama | rope_scaling | {`rope_type`:`linear`} | nothing | a number above 0",
        "llama | rope_scaling | `linear` | `linear` | an object",
        "llama | rope_scaling | [2] | an array | an object",
        "llama3 | rope_parameters | 8 | the number 8 | an object",
        "llama3 | rope_scaling | {`type`:`linear`,`factor`:2} | an object | either rope_parameters",
        "llama | partial_rotary_factor | 0.5 | the number 0.5 | 1",
        "llama | quantization_config | {`bits`:4} | an object | none: load the unquantised weights",
        "gpt2 | quantization_config | {`quant_method`:`bitsandbytes`} | an object | none: load",
        "mistral | sliding_window | 0 | the number 0 | a whole number above 0",
        "qwen2 | layer_types | [`full_attention`] | an array | a list with one entry for each of the 2 layers",
        "qwen2 | layer_types | [`full_attention`,`linear`] | an array | full_attention or",
        "qwen2 | layer_types | `full_attention` | `full_attention` | a list with",
        "qwen2 | layer_types | [{},{}] | an array | full_attention or",
        "qwen2 | max_window_layers | `x` | `x` | a whole number",
        "qwen2 | max_window_layers | -1 | the number -1 | a whole number",
        "qwen3 | use_sliding_window | `no` | `no` | true or false"
      })
  void valueThatCannotBeUsed(String name, String key, String value, String found, String expected)
      throws IOException {
    ObjectNode config = config(name);
    config.set(key, JSON.readTree(value.replace('`', '"')));
    Files.writeString(file(), JSON.writeValueAsString(config));
    String place = key;
    if (found.equals("`yarn`")) {
      place = "rope_scaling.type";
    } else if (found.equals("nothing")) {
      place = "rope_scaling.factor";
    }
    assertRefused(place, found.replace('`', '\''), expected);
  }

  @Test
  void slidingLayersWithoutSlidingWindow() throws IOException {
    ObjectNode config = config("qwen2");
    config.set("layer_types", JSON.readTree("[\"full_attention\",\"sliding_attention\"]"));
    Files.writeString(file(), JSON.writeValueAsString(config));
    assertRefused("use_sliding_window", "false", "true, as layer_types has sliding layers");
  }

  @Test
  void frequenciesInTheWrongOrder() throws IOException {
    ObjectNode config = config("llama3");
    ((ObjectNode) config.path("rope_parameters")).put("high_freq_factor", 0.5);
    Files.writeString(file(), JSON.writeValueAsString(config));
    assertRefused("rope_parameters.high_freq_factor", "the number 0.5", "more than");
  }

  @Test
  void headsThatDoNotDivideTheWidth() throws IOException {
    ObjectNode config = config("llama");
    config.remove("head_dim");
    config.put("num_attention_heads", 5);
    config.put("num_key_value_heads", 5);
    Files.writeString(file(), JSON.writeValueAsString(config));
    assertRefused("num_attention_heads", "5", "a divisor of hidden_size = 32");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | file | an object",
        "[] | file: found an array | an object",
        "{\"model_type\": \"llama\" | line 1 | valid JSON",
        "{\"a\": 1, \"a\": 2} | line 1 | valid JSON",
        "{\"a\": NaN} | line 1 | valid JSON",
        "{} x | line 1 | valid JSON",
        "{} | model_type: found nothing | gpt2, llama"
      })
  void fileThatIsNoConfig(String text, String place, String expected) throws IOException {
    Files.writeString(file(), text);
    assertThatThrownBy(() -> ModelDirectory.read(directory))
        .isInstanceOf(MalformedFileException.class)
        .message()
        .startsWith(file() + ": " + place)
        .contains(", expected " + expected)
        .doesNotContain("\n");
  }

  @Test
  void bytesThatAreNoText() throws IOException {
    Files.write(file(), new byte[] {'{', '"', (byte) 0xff, '"', '}'});
    assertRefused("byte 2", "a byte that is not UTF-8", "UTF-8 text");
  }

  @Test
  void missingConfig() {
    assertThatThrownBy(() -> ModelDirectory.read(directory))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(directory + ": config.json: found no such file, expected a model's config");
  }

  @Test
  void endTokensThatAreNone() throws IOException {
    ObjectNode config = config("llama");
    config.set("eos_token_id", JSON.readTree("[2, -1]"));
    Files.writeString(file(), JSON.writeValueAsString(config));
    ModelDirectory read = ModelDirectory.read(directory);
    assertThatThrownBy(read::stopIds)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("eos_token_id");
    config.set("eos_token_id", JSON.readTree("[2, 7]"));
    Files.writeString(file(), JSON.writeValueAsString(config));
    assertThat(ModelDirectory.read(directory).stopIds()).containsExactlyInAnyOrder(2, 7);
  }

  private static ObjectNode config(String name) throws IOException {
    JsonNode node = JSON.readTree(Files.readString(Parity.model(name).resolve("config.json")));
    return (ObjectNode) node;
  }
}
