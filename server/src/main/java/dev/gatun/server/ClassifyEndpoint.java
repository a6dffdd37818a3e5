package dev.gatun.server;

import dev.gatun.chat.LocalClassifier;
import dev.gatun.chat.LocalClassifier.Score;
import dev.gatun.chat.LocalClassifier.Scores;
import dev.gatun.chat.LocalClassifier.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `/classify`, with vLLM's fields: `model`, `input`, `truncate_prompt_tokens`. Among the texts of
/// an array may be pairs, as arrays of two.
final class ClassifyEndpoint implements Endpoint {
  private static final int MOST_TEXTS = 2048;
  private static final String INPUT = "input";

  private final EncoderModel model;
  private final Serving serving;

  ClassifyEndpoint(EncoderModel model, Serving serving) {
    this.model = model;
    this.serving = serving;
  }

  @Override
  public void answer(Exchange exchange) {
    JsonFields fields = exchange.fields();
    boolean cut = Truncation.read(fields);
    String name = serving.adapters().name(fields.text("model"));
    String adapter = serving.adapters().adapter(name);
    List<Text> texts = texts(fields);
    Answer answer = new Answer();
    boolean asked =
        model.ask(
            adapter,
            classifier -> {
              serving.metrics().asked(name);
              serving.inPieces(
                  exchange,
                  texts,
                  ClassifyEndpoint::length,
                  piece -> answer.add(classifier, piece, cut));
            });
    if (!asked) {
      throw adapter == null
          ? ApiException.field("model", name + ", without a head", "an adapter with one")
          : ApiException.noModel(name);
    }
    serving.metrics().read(answer.tokens);
    exchange.send(answer.json(name));
  }

  private static int length(Text text) {
    String second = text.second();
    return text.first().length() + (second == null ? 0 : second.length());
  }

  private static List<Text> texts(JsonFields fields) {
    JsonNode value = fields.value(INPUT);
    boolean one = value != null && value.isString();
    List<JsonNode> given = one && value != null ? List.of(value) : fields.array(INPUT, MOST_TEXTS);
    if (given.isEmpty()) {
      throw fields.refused(INPUT, "nothing", "a string, or an array of strings and pairs");
    }
    List<Text> texts = new ArrayList<>();
    for (JsonNode each : given) {
      texts.add(text(each, one ? INPUT : INPUT + "[" + texts.size() + "]"));
    }
    return texts;
  }

  private static Text text(JsonNode value, String name) {
    if (!value.isArray()) {
      return new Text(JsonFields.text(value, name), null);
    }
    if (value.size() != 2) {
      throw ApiException.field(name, Json.describe(value), "a string, or two of a pair");
    }
    return new Text(
        JsonFields.text(value.get(0), name + "[0]"), JsonFields.text(value.get(1), name + "[1]"));
  }

  /// What has been answered so far.
  private static final class Answer {
    private final ArrayNode data = Json.object().putArray("data");
    private int tokens;

    private void add(LocalClassifier classifier, List<Text> texts, boolean cut) {
      if (!cut && texts.stream().anyMatch(classifier::isCut)) {
        throw ApiException.tooLong(INPUT, Truncation.refusal(classifier.maxTokens()));
      }
      for (Scores scores : classifier.classifyTexts(texts)) {
        ObjectNode each = data.addObject().put("index", data.size() - 1);
        each.put("label", scores.best().label());
        ArrayNode probabilities = each.putArray("probs");
        for (Score score : scores.all()) {
          probabilities.add(score.score());
        }
        each.put("num_classes", scores.all().size());
      }
      tokens += classifier.tokens(texts);
    }

    private ObjectNode json(String name) {
      ObjectNode all =
          Json.object()
              .put("id", "classify-" + UUID.randomUUID().toString().replace("-", ""))
              .put("object", "list")
              .put("created", System.currentTimeMillis() / 1000)
              .put("model", name);
      all.set("data", data);
      all.set("usage", EmbeddingEndpoint.usage(tokens));
      return all;
    }
  }
}
