package dev.gatun.server;

import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.train.Evaluation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What both kinds of requests for text ask for, the prompt apart.
///
/// @param model the name of the model or adapter, or null for the model
/// @param sampling how tokens are chosen
/// @param stops texts that end an answer
/// @param ignoreEos whether the model's stop ids are tokens like others
/// @param choices answers to each prompt
/// @param logprobs likeliest ids to tell with each token; -1 for no logarithms at all
/// @param form what the answer must look like, or null
/// @param ensemble draws of the adapter's masks to average over, or null
/// @param stream whether it is answered token by token
/// @param includeUsage whether a stream ends with its usage
record TextRequest(
    @Nullable String model,
    Sampling sampling,
    List<String> stops,
    boolean ignoreEos,
    int choices,
    int logprobs,
    @Nullable AskedForm form,
    @Nullable AdapterEnsemble ensemble,
    boolean stream,
    boolean includeUsage) {
  private static final int MOST_STOPS = 16;

  /// Reads it.
  ///
  /// @param maxTokens tokens to make at most
  /// @param logprobs [#logprobs]
  /// @param vocabulary ids of the model
  static TextRequest read(JsonFields fields, int maxTokens, int logprobs, int vocabulary) {
    JsonFields options = fields.object("stream_options");
    List<String> stops = fields.texts("stop", MOST_STOPS);
    if (stops.contains("")) {
      throw fields.refused("stop", "an empty text", "at least a character");
    }
    return new TextRequest(
        fields.text("model"),
        sampling(fields, maxTokens, vocabulary),
        stops,
        fields.flag("ignore_eos"),
        fields.integer("n", 1, 1, GenerationRequest.MOST_CHOICES),
        logprobs,
        AskedForm.read(fields),
        ensemble(fields),
        fields.flag("stream"),
        options != null && options.flag("include_usage"));
  }

  private static @Nullable AdapterEnsemble ensemble(JsonFields fields) {
    String method = fields.text("ensemble");
    if (method == null) {
      return null;
    }
    String average = fields.text("average");
    Evaluation.Average what =
        switch (average) {
          case null -> Evaluation.Average.LOGITS;
          case "logits" -> Evaluation.Average.LOGITS;
          case "probabilities" -> Evaluation.Average.PROBABILITIES;
          default -> throw fields.refused("average", average, "logits or probabilities");
        };
    Long seed = fields.wide("ensemble_seed");
    try {
      return AdapterEnsemble.of(DropoutText.parse(method), seed == null ? 0 : seed, what);
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid("ensemble", "ensemble: " + e.getMessage());
    }
  }

  private static Sampling sampling(JsonFields fields, int maxTokens, int vocabulary) {
    Long seed = fields.wide("seed");
    int topK = fields.integer("top_k", 0, -1, Integer.MAX_VALUE);
    try {
      return Sampling.greedy(maxTokens)
          .withChoice(
              fields.number("temperature", 1),
              Math.max(topK, 0), // -1 is vLLM's word for all
              fields.number("top_p", 1),
              fields.number("min_p", 0))
          .withPenalties(
              fields.number("repetition_penalty", 1),
              fields.number("presence_penalty", 0),
              fields.number("frequency_penalty", 0),
              0)
          .withLogitBias(bias(fields, vocabulary))
          .withSeed(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
    } catch (IllegalArgumentException e) { // "name: found ..., expected ..."
      String message = String.valueOf(e.getMessage());
      throw ApiException.invalid(message.substring(0, Math.max(0, message.indexOf(':'))), message);
    }
  }

  private static Map<Integer, Double> bias(JsonFields fields, int vocabulary) {
    Map<Integer, Double> bias = new HashMap<>();
    JsonFields given = fields.object("logit_bias");
    if (given != null) {
      given.forEach((key, value) -> {
        int id = id(key);
        if (id < 0 || id >= vocabulary) {
          throw fields.refused("logit_bias", "the key " + key, "ids below " + vocabulary);
        }
        bias.put(id, number(value));
      });
    }
    return bias;
  }

  private static double number(JsonNode value) {
    double number = JsonFields.number(value, "logit_bias");
    if (Math.abs(number) > 100) {
      throw ApiException.field("logit_bias", Json.describe(value), "-100 to 100");
    }
    return number;
  }

  private static int id(String key) {
    return key.matches("[0-9]{1,9}") ? Integer.parseInt(key) : -1;
  }
}
