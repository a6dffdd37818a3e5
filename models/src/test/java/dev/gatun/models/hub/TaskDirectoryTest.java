package dev.gatun.models.hub;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.Parity;
import dev.gatun.models.TaskCases;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.FullWeights;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Directories of encoders and of models with the head of a task.
class TaskDirectoryTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Task PAIR = Task.classification(List.of("no", "yes"));

  @TempDir Path directory;

  /// Writes the model again with changed names; null leaves a weight out.
  private void copy(String name, UnaryOperator<String> names) throws IOException {
    Files.copy(Parity.model(name).resolve("config.json"), directory.resolve("config.json"));
    try (TaskModel model = TaskCases.read(name).open(DType.F32, Use.FROZEN)) {
      Map<String, Tensor> weights = new LinkedHashMap<>();
      for (Param param : model.params()) {
        String other = names.apply(param.name());
        if (!other.isEmpty()) {
          weights.put(other, param.value());
        }
      }
      try (Scope host = Scope.open()) {
        SafetensorsWriter.write(
            directory.resolve("model.safetensors"),
            TensorEntries.of(host, weights),
            SafetensorsWriter.PYTORCH);
      }
    }
  }

  private void config(String name, Consumer<ObjectNode> change) throws IOException {
    ObjectNode json =
        (ObjectNode) JSON.readTree(Files.readString(Parity.model(name).resolve("config.json")));
    change.accept(json);
    Files.writeString(directory.resolve("config.json"), JSON.writeValueAsString(json));
  }

  private Task task() throws IOException {
    return requireNonNull(ModelDirectory.read(directory).task());
  }

  @Test
  void labelsComeFromTheConfig() throws IOException {
    config("roberta", json -> {});
    assertThat(task()).isEqualTo(Task.classification(List.of("LABEL_0", "LABEL_1", "LABEL_2")));
    config("roberta", json -> json.putObject("id2label").put("1", "good").put("0", "bad"));
    assertThat(task()).isEqualTo(Task.classification(List.of("bad", "good")));
    config("roberta", json -> json.put("num_labels", 4).remove("id2label"));
    assertThat(task().labels()).containsExactly("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3");
    config("roberta", json -> json.remove("id2label"));
    assertThat(task().outputs()).isEqualTo(2);
    config("xlm-roberta", json -> {});
    assertThat(task().kind()).isEqualTo(Task.Kind.REGRESSION);
    config("deberta-qa", json -> {});
    assertThat(task()).isEqualTo(Task.questionAnswering());
    config("roberta", json -> json.putArray("architectures").add("RobertaForMaskedLM"));
    assertThat(ModelDirectory.read(directory).task()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"problem_type\": \"multi_label_classification\"} | problem_type",
        "{\"problem_type\": \"regression\"} | problem_type",
        "{\"num_labels\": 2} | id2label",
        "{\"id2label\": {\"1\": \"a\", \"2\": \"b\"}} | id2label",
        "{\"id2label\": [\"a\", \"b\"]} | id2label",
        "{\"id2label\": {}} | id2label",
        "{\"architectures\": [\"RobertaForQuestionAnswering\"]} | id2label"
      })
  void labelsThatAreNone(String change, String place) throws IOException {
    config("roberta", json -> json.setAll((ObjectNode) JSON.readTree(change)));
    assertThatThrownBy(() -> ModelDirectory.read(directory).task())
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining(": " + place + ": found ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "deberta-v3 | {\"conv_kernel_size\": 2} | conv_kernel_size",
        "deberta-v3 | {\"conv_groups\": 2} | conv_groups",
        "deberta-v3 | {\"conv_act\": \"relu\"} | conv_act",
        "deberta-v3 | {\"pos_att_type\": [\"c2p\", \"p2p\"]} | pos_att_type",
        "deberta-v3 | {\"pos_att_type\": [1]} | pos_att_type",
        "deberta-v3 | {\"pos_att_type\": {}} | pos_att_type",
        "deberta-v3 | {\"position_buckets\": 1} | position_buckets",
        "deberta-v3 | {\"position_buckets\": 78} | position_buckets",
        "deberta-v3 | {\"hidden_act\": \"relu\"} | hidden_act",
        "deberta-v3 | {\"embedding_size\": 8} | embedding_size",
        "deberta-v3 | {\"pooler_hidden_size\": 8} | pooler_hidden_size",
        "deberta-v3 | {\"attention_head_size\": 4} | attention_head_size",
        "deberta-v3 | {\"num_attention_heads\": 5} | num_attention_heads",
        "roberta | {\"position_embedding_type\": \"relative_key\"} | position_embedding_type",
        "roberta | {\"is_decoder\": true} | is_decoder",
        "roberta | {\"pad_token_id\": 41} | pad_token_id",
        "roberta | {\"num_attention_heads\": 5} | num_attention_heads"
      })
  void encoderThatIsNotThere(String name, String change, String place) throws IOException {
    config(name, json -> json.setAll((ObjectNode) JSON.readTree(change)));
    assertThatThrownBy(() -> ModelDirectory.read(directory))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining(": " + place + ": found ");
  }

  @Test
  void encoderIsNoLanguageModel() throws IOException {
    ModelDirectory encoder = ModelDirectory.read(Parity.model("roberta"));
    assertThatThrownBy(() -> encoder.open(DType.F32, Use.FROZEN))
        .hasMessageContaining("model_type: found 'roberta', expected a decoder");
    assertThatThrownBy(() -> encoder.fresh(DType.F32, 1))
        .hasMessageContaining("model_type: found 'roberta', expected a decoder");
    ModelDirectory decoder = ModelDirectory.read(Parity.model("gpt2"));
    assertThatThrownBy(() -> decoder.openTask(Task.questionAnswering(), DType.F32, Use.FROZEN, 1))
        .hasMessageContaining("model_type: found 'gpt2', expected an encoder");
  }

  @ParameterizedTest
  @CsvSource({
    "roberta,classifier",
    "roberta-qa,qa_outputs",
    "deberta-v3,classifier",
    "deberta-v3,pooler",
    "gpt2-score,score"
  })
  void missingHeadIsDrawnAndNamed(String name, String module) throws IOException {
    copy(name, weight -> weight.startsWith(module) ? "" : weight);
    ModelDirectory read = ModelDirectory.read(directory);
    Task task = requireNonNull(read.task());
    try (TaskModel whole = TaskCases.read(name).open(DType.F32, Use.FROZEN);
        TaskModel model = read.openTask(task, DType.F32, Use.FROZEN, 5);
        TaskModel same = read.openTask(task, DType.F32, Use.FROZEN, 5);
        TaskModel other = read.openTask(task, DType.F32, Use.FROZEN, 6)) {
      List<String> lacking =
          whole.params().stream().map(Param::name).filter(n -> n.startsWith(module)).toList();
      assertThat(lacking).isNotEmpty();
      assertThat(model.fresh()).containsExactlyInAnyOrderElementsOf(lacking);
      for (int i = 0; i < model.params().size(); i++) {
        Param param = model.params().get(i);
        float[] values = param.value().toFloats();
        assertThat(same.params().get(i).value().toFloats()).isEqualTo(values);
        if (!lacking.contains(param.name())) {
          assertThat(values).isEqualTo(whole.params().get(i).value().toFloats());
        } else if (param.name().endsWith(".bias")) {
          assertThat(values).containsOnly(0);
        } else {
          assertThat(values).isNotEqualTo(other.params().get(i).value().toFloats());
          double squares = 0;
          for (float value : values) {
            squares += value * value;
          }
          assertThat(Math.sqrt(squares / values.length)).isBetween(0.014, 0.026);
        }
      }
    }
  }

  @Test
  void halfAHeadIsABrokenFile() throws IOException {
    copy("roberta", weight -> weight.equals("classifier.out_proj.bias") ? "" : weight);
    assertThatThrownBy(
            () -> ModelDirectory.read(directory).openTask(PAIR, DType.F32, Use.FROZEN, 1))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("missing: classifier.out_proj.bias")
        .hasMessageContaining("classifier.out_proj.weight is (3, 24), not (2, 24)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "deberta-v3", "gpt2-score", "llama-score"})
  void otherHeadsAndOldNamesAreKnown(String name) throws IOException {
    String prefix = name.equals("roberta") ? "roberta." : "deberta.";
    copy(
        name,
        weight ->
            weight
                .replaceFirst("^(classifier|score).*", "qa_outputs.$0")
                .replaceFirst("^" + prefix, "")
                .replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma")
                .replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta"));
    ModelDirectory read = ModelDirectory.read(directory);
    try (TaskModel whole = TaskCases.read(name).open(DType.F32, Use.FROZEN);
        TaskModel model = read.openTask(requireNonNull(read.task()), DType.F32, Use.FROZEN, 5)) {
      assertThat(model.fresh()).isNotEmpty();
      for (int i = 0; i < model.params().size(); i++) {
        Param param = model.params().get(i);
        if (!model.fresh().contains(param.name())) {
          assertThat(param.value().toFloats())
              .as(param.name())
              .isEqualTo(whole.params().get(i).value().toFloats());
        }
      }
    }
  }

  @Test
  void languageModelBecomesAClassifier() throws IOException {
    for (String name : List.of("gpt2", "llama", "qwen3")) {
      ModelDirectory read = ModelDirectory.read(Parity.model(name));
      assertThat(read.task()).isNull();
      try (TaskModel model = read.openTask(PAIR, DType.F32, Use.FROZEN, 5)) {
        assertThat(model.fresh()).containsExactly("score.weight");
        assertThat(model.isCausal()).isTrue();
        assertThat(model.params().stream().map(Param::name)).doesNotContain("lm_head.weight");
      }
    }
  }

  @Test
  void newAdapterTrainsTheHead() throws IOException {
    try (TaskModel model = TaskCases.read("deberta-v3").open(DType.F32, Use.FROZEN);
        Scope scope = Scope.open()) {
      LoraConfig config = LoraConfig.of(2, 4, new TargetModules.ModelDefault());
      LoraAdapter adapter = LoraAdapter.create(scope, model, config, 1);
      assertThat(adapter.match().config().origin().taskType()).isEqualTo("SEQ_CLS");
      assertThat(adapter.match().config().modulesToSave()).containsExactly("pooler", "classifier");
      assertThat(adapter.parameters())
          .containsKeys(
              "base_model.model.classifier.weight",
              "base_model.model.pooler.dense.bias",
              "base_model.model.deberta.encoder.layer.1.attention.self.query_proj.lora_A.weight");
      adapter.save(directory);
      LoraAdapter again = LoraAdapter.load(scope, model, directory);
      assertThat(again.parameters().keySet()).isEqualTo(adapter.parameters().keySet());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "deberta-qa", "llama-score"})
  void trainedModelIsWrittenWithItsTask(String name) throws IOException {
    TaskCases cases = TaskCases.read(name);
    config(name, json -> json.putArray("architectures").add("AnyModel"));
    ModelDirectory bare = ModelDirectory.read(directory);
    Path target = directory.resolve("trained");
    try (TaskModel model = cases.open(DType.F32, Use.TRAINED);
        Scope scope = Scope.open()) {
      new FullWeights(bare, model).save(target);
      ModelDirectory written = ModelDirectory.read(target);
      assertThat(written.task()).isEqualTo(model.task());
      assertThat(written.config().json().path("architectures").path(0).asString())
          .isEqualTo(
              ModelDirectory.read(Parity.model(name))
                  .config()
                  .json()
                  .path("architectures")
                  .path(0)
                  .asString());
      try (TaskModel back = written.openTask(model.task(), DType.F32, Use.FROZEN, 0)) {
        assertThat(back.fresh()).isEmpty();
        assertThat(
                Parity.doubles(
                    back.outputs(scope, cases.pass(scope, back, PassAddition.NONE), false)))
            .containsExactly(
                Parity.doubles(
                    model.outputs(scope, cases.pass(scope, model, PassAddition.NONE), false)));
      }
    }
  }
}
