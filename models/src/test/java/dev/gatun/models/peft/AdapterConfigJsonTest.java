package dev.gatun.models.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterConfigJsonTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("adapter_config.json");
  }

  record Row(String json, String place, String found, String expected) {}

  @ParameterizedTest
  @MethodSource("malformed")
  void refusesInOneLine(Row row) throws IOException {
    Files.writeString(file, row.json());
    MalformedFileException e =
        catchThrowableOfType(MalformedFileException.class, () -> AdapterConfigJson.read(file));
    assertThat(e).isNotNull();
    assertThat(e.file()).isEqualTo(file.toString());
    assertThat(e.place()).isEqualTo(row.place());
    assertThat(e.found()).isEqualTo(row.found());
    assertThat(e.expected()).isEqualTo(row.expected());
    assertThat(e.getMessage()).doesNotContain("\n");
  }

  static Stream<Row> malformed() {
    return Stream.of(
        new Row("[]", "file", "an array", "an object"),
        new Row("{}", "peft_type", "nothing", "'LORA' or 'ADALORA'"),
        new Row("{\"peft_type\":\"IA3\"}", "peft_type", "'IA3'", "'LORA' or 'ADALORA'"),
        ada("\"init_r\":4", "total_step", "nothing", "an integer"),
        ada("\"init_r\":0,\"total_step\":9", "init_r", "0", "at least 1"),
        ada("\"total_step\":9,\"target_r\":0", "target_r", "0", "at least 1"),
        ada("\"total_step\":9,\"use_dora\":true", "use_dora", "true", "false with AdaLoRA"),
        ada("\"total_step\":9,\"use_rslora\":true", "use_rslora", "true", "none with AdaLoRA"),
        ada(
            "\"total_step\":9,\"tinit\":5,\"tfinal\":4",
            "total_step",
            "9 with tinit 5 and tfinal 4",
            "more than both together"),
        ada(
            "\"total_step\":9,\"rank_pattern\":{\"q_proj\":[true]}",
            "rank_pattern 'q_proj'",
            "this name",
            "one that ends in .lora_E"),
        ada(
            "\"total_step\":9,\"rank_pattern\":{\"q.lora_E\":3}",
            "rank_pattern 'q.lora_E'",
            "3",
            "a list of true and false"),
        ada(
            "\"total_step\":9,\"rank_pattern\":{\"q.lora_E\":[1]}",
            "rank_pattern 'q.lora_E'",
            "1 in the list",
            "only true and false"),
        row("\"init_r\":4", "init_r", "4", "no such key, for PEFT's LoRA has none"),
        row("\"r\":0", "r", "0", "at least 1"),
        row("\"r\":\"8\"", "r", "'8'", "an integer"),
        row("\"r\":8.5", "r", "8.5", "an integer"),
        row("\"r\":3000000000", "r", "3000000000", "an integer"),
        row("\"lora_alpha\":true", "lora_alpha", "true", "a number"),
        row("\"lora_alpha\":1e999", "lora_alpha", "Infinity", "a finite number"),
        row("\"lora_dropout\":1.0", "lora_dropout", "1.0", "0 <= p < 1"),
        row("\"lora_dropout\":-0.1", "lora_dropout", "-0.1", "0 <= p < 1"),
        row("\"bias\":\"some\"", "bias", "'some'", "none, all or lora_only"),
        row("\"target_modules\":7", "target_modules", "7", "a list of strings"),
        row("\"target_modules\":[7]", "target_modules", "7 in the list", "only strings"),
        row("\"target_modules\":[\"\"]", "target_modules", "an empty name", "module names"),
        row(
            "\"target_modules\":\"(\"",
            "regular expression '('",
            "Unclosed group",
            "Python's syntax"),
        row(
            "\"exclude_modules\":\"\\\\y\"",
            "regular expression '\\y'",
            "the escape \\y",
            "Python's syntax"),
        row("\"rank_pattern\":[]", "rank_pattern", "[]", "an object"),
        row("\"rank_pattern\":{\"q\":0}", "rank_pattern 'q'", "0", "at least 1"),
        row("\"rank_pattern\":{\"q\":null}", "rank_pattern 'q'", "null", "an integer"),
        row("\"alpha_pattern\":{\"q\":\"1\"}", "alpha_pattern 'q'", "'1'", "a number"),
        row(
            "\"layers_pattern\":\"h\"",
            "layers_pattern",
            "it without layers_to_transform",
            "both or none"),
        row(
            "\"layers_to_transform\":[1],\"target_modules\":\"all-linear\"",
            "layers_to_transform",
            "[1] beside a string in target_modules",
            "a list there"),
        row(
            "\"init_lora_weights\":\"pissa\"",
            "init_lora_weights",
            "'pissa'",
            "true, false, gaussian, orthogonal or eva, which leave the base weights as they are"),
        row("\"use_rslora\":1", "use_rslora", "1", "true or false"),
        row("\"use_dora\":1", "use_dora", "1", "true or false"),
        row("\"lora_bias\":true", "lora_bias", "true", "null or false, for it is not supported"),
        row(
            "\"trainable_token_indices\":[3]",
            "trainable_token_indices",
            "[3]",
            "null or false, for it is not supported"),
        row(
            "\"layer_replication\":[[0,4]]",
            "layer_replication",
            "[[0,4]]",
            "null or false, for it is not supported"),
        row("\"rnak\":4", "rnak", "4", "no such key, for PEFT's LoRA has none"),
        row("\"base_model_name_or_path\":1", "base_model_name_or_path", "1", "a string"));
  }

  private static Row ada(String entry, String place, String found, String expected) {
    return new Row("{\"peft_type\":\"ADALORA\"," + entry + "}", place, found, expected);
  }

  private static Row row(String entry, String place, String found, String expected) {
    return new Row("{\"peft_type\":\"LORA\"," + entry + "}", place, found, expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"r\":8,\"r\":9}", "{\"r\":", "{\"r\":NaN}", "{}{}", ""})
  void refusesWhatIsNotStrictJson(String json) throws IOException {
    Files.writeString(file, json);
    MalformedFileException e =
        catchThrowableOfType(MalformedFileException.class, () -> AdapterConfigJson.read(file));
    assertThat(e).isNotNull();
    assertThat(e.getMessage()).doesNotContain("\n");
  }

  @Test
  void missingKeysHavePeftsDefaults() throws IOException {
    Files.writeString(
        file, "{\"peft_type\":\"LORA\",\"enable_lora\":null,\"merge_weights\":false}");
    assertThat(AdapterConfigJson.read(file))
        .isEqualTo(
            LoraConfig.of(8, 8, new TargetModules.ModelDefault())
                .withOrigin(new LoraConfig.Origin(null, null, null), false));
  }

  @Test
  void numbersAreWrittenAsPythonDoes() {
    PeftFixture.section("floats")
        .forEach(text ->
            assertThat(PythonJson.dumps(Double.valueOf(text.stringValue())))
                .isEqualTo(text.stringValue()));
  }
}
