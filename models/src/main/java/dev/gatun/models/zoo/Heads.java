package dev.gatun.models.zoo;

import dev.gatun.models.nn.FirstTokenHead;
import dev.gatun.models.nn.FirstTokenHead.Activation;
import dev.gatun.models.nn.Head;
import dev.gatun.models.nn.LastTokenHead;
import dev.gatun.models.nn.SpanHead;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Weights;
import dev.gatun.runtime.MalformedFileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// The heads of tasks as transformers names and computes them: `...ForSequenceClassification` and
/// `...ForQuestionAnswering`.
final class Heads {
  /// Weights of other heads in the same checkpoint.
  private static final String OTHERS = "(lm_head|classifier|pooler|score|qa_outputs)\\..*";

  private Heads() {}

  /// Puts a head on an architecture.
  static Architecture on(Architecture body, Config config, Task task)
      throws MalformedFileException {
    Map<String, long[]> weights = new LinkedHashMap<>();
    Function<Weights, Head> head =
        task.isOfSequences()
            ? ofSequences(body, config, task, weights)
            : ofTokens(body, config, task, weights);
    Map<String, long[]> all = new LinkedHashMap<>(body.parameters());
    all.remove("lm_head.weight");
    all.putAll(weights);
    return new Architecture(
        body.width(),
        false,
        all,
        Set.copyOf(weights.keySet()),
        body.prefix(),
        body.tiedHead(),
        body.ignored() + "|" + OTHERS,
        body.initStd(),
        w -> new TaskModel(body.build().apply(w), task, head.apply(w), w.fresh()));
  }

  /// Passes the weights of heads over.
  static Architecture without(Architecture body) {
    return new Architecture(
        body.width(),
        body.causal(),
        body.parameters(),
        body.head(),
        body.prefix(),
        body.tiedHead(),
        body.ignored() + "|" + OTHERS,
        body.initStd(),
        body.build());
  }

  private static Function<Weights, Head> ofSequences(
      Architecture body, Config config, Task task, Map<String, long[]> weights)
      throws MalformedFileException {
    long c = body.width();
    long k = task.outputs();
    return switch (type(config)) {
      case "roberta", "xlm-roberta" -> {
        linear(weights, "classifier.dense", c, c);
        linear(weights, "classifier.out_proj", k, c);
        yield w ->
            new FirstTokenHead(
                List.of("classifier"),
                w.linear("classifier.dense", false),
                Activation.TANH,
                w.linear("classifier.out_proj", false));
      }
      case "deberta-v2" -> {
        config.expect("pooler_hidden_act", "gelu", "gelu");
        linear(weights, "pooler.dense", c, c);
        linear(weights, "classifier", k, c);
        yield w ->
            new FirstTokenHead(
                List.of("pooler", "classifier"),
                w.linear("pooler.dense", false),
                Activation.GELU,
                w.linear("classifier", false));
      }
      default -> {
        int padId = config.within("pad_token_id", -1, -1, Integer.MAX_VALUE);
        weights.put("score.weight", new long[] {k, c});
        yield w -> new LastTokenHead(w.linear("score", false), padId);
      }
    };
  }

  private static Function<Weights, Head> ofTokens(
      Architecture body, Config config, Task task, Map<String, long[]> weights)
      throws MalformedFileException {
    return switch (type(config)) {
      case "roberta", "xlm-roberta", "deberta-v2" -> {
        linear(weights, "qa_outputs", task.outputs(), body.width());
        yield w -> new SpanHead(w.linear("qa_outputs", false));
      }
      default -> throw config.refused("model_type", "an encoder for question answering");
    };
  }

  private static String type(Config config) throws MalformedFileException {
    String type = config.text("model_type");
    return type == null ? "" : type;
  }

  static void linear(Map<String, long[]> all, String path, long out, long in) {
    all.put(path + ".weight", new long[] {out, in});
    all.put(path + ".bias", new long[] {out});
  }

  static void norm(Map<String, long[]> all, String path, long size) {
    all.put(path + ".weight", new long[] {size});
    all.put(path + ".bias", new long[] {size});
  }
}
