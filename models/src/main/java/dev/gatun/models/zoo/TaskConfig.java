package dev.gatun.models.zoo;

import dev.gatun.models.nn.Task;
import dev.gatun.runtime.MalformedFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The keys of config.json that say which task a model's head is for: `architectures`, `id2label`,
/// `num_labels`, `problem_type`.
public final class TaskConfig {
  private static final String OF_SEQUENCES = "ForSequenceClassification";
  private static final String OF_TOKENS = "ForQuestionAnswering";
  private static final String PROBLEM = "problem_type";
  private static final int MOST_LABELS = 1 << 20;

  private TaskConfig() {}

  /// {@return the task of the first of a config's `architectures`, or null where that has no head
  /// of a known task}
  ///
  /// As in transformers, one label means regression, and no labels mean two.
  ///
  /// @param config the model's config.json
  /// @throws MalformedFileException if the keys contradict each other, or ask for several labels at
  ///   once
  public static @Nullable Task read(Config config) throws MalformedFileException {
    String architecture = config.json().path("architectures").path(0).asString("");
    if (!architecture.endsWith(OF_SEQUENCES) && !architecture.endsWith(OF_TOKENS)) {
      return null;
    }
    List<String> labels = labels(config);
    if (architecture.endsWith(OF_TOKENS)) {
      if (labels.size() != 2) {
        throw config.refused(
            config.has("id2label") ? "id2label" : "num_labels",
            "2 outputs for question answering, a start and an end");
      }
      return Task.questionAnswering();
    }
    boolean one = labels.size() == 1;
    String usual = one ? "regression" : "single_label_classification";
    config.expect(PROBLEM, usual, usual);
    return one ? Task.regression(labels.getFirst()) : Task.classification(labels);
  }

  /// {@return whether a config's head is for any number of labels of each sequence at once, which
  /// [#read] refuses: each then has a probability of its own}
  ///
  /// @param config the model's config.json
  /// @throws MalformedFileException if `problem_type` is no string
  public static boolean isMultiLabel(Config config) throws MalformedFileException {
    return "multi_label_classification".equals(config.text(PROBLEM));
  }

  /// {@return the names of the labels of a config, by their numbers}
  ///
  /// @param config the model's config.json
  /// @throws MalformedFileException if the keys contradict each other
  public static List<String> labels(Config config) throws MalformedFileException {
    int count = config.within("num_labels", -1, 1, MOST_LABELS);
    if (!config.has("id2label")) {
      return IntStream.range(0, count < 0 ? 2 : count).mapToObj(i -> "LABEL_" + i).toList();
    }
    config.expectObject("id2label");
    JsonNode names = config.json().path("id2label");
    if (names.isEmpty() || (count >= 0 && count != names.size())) {
      throw config.refused("id2label", "one name for each of num_labels labels");
    }
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      JsonNode name = names.path(Integer.toString(i));
      if (!name.isString()) {
        throw config.refused("id2label", "names of labels 0 to " + (names.size() - 1));
      }
      labels.add(name.asString());
    }
    return labels;
  }

  /// Writes a task into a config, as transformers would.
  ///
  /// @param json the model's config, changed
  /// @param task what its head is for
  public static void write(ObjectNode json, Task task) {
    String family =
        switch (json.path("model_type").asString("")) {
          case "gpt2" -> "GPT2";
          case "llama" -> "Llama";
          case "mistral" -> "Mistral";
          case "qwen2" -> "Qwen2";
          case "qwen3" -> "Qwen3";
          case "roberta" -> "Roberta";
          case "xlm-roberta" -> "XLMRoberta";
          case "deberta-v2" -> "DebertaV2";
          default -> throw new IllegalArgumentException("no model_type in " + json);
        };
    json.putArray("architectures").add(family + (task.isOfSequences() ? OF_SEQUENCES : OF_TOKENS));
    json.remove(List.of("num_labels", PROBLEM, "id2label", "label2id"));
    if (task.isOfSequences()) {
      ObjectNode names = json.putObject("id2label");
      ObjectNode numbers = json.putObject("label2id");
      for (int i = 0; i < task.outputs(); i++) {
        names.put(Integer.toString(i), task.labels().get(i));
        numbers.put(task.labels().get(i), i);
      }
      json.put(
          PROBLEM,
          task.kind() == Task.Kind.REGRESSION ? "regression" : "single_label_classification");
    }
  }
}
