package dev.gatun.langchain4j;

import dev.gatun.chat.TextForm;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.generate.Sampling;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What LangChain4j's requests mean to an engine.
final class Requests {
  private Requests() {}

  /// @throws UnsupportedFeatureException if the request asks for what Gatun does not do
  static void refuseUnsupported(ChatRequest request) {
    ChatRequestParameters parameters = request.parameters();
    ToolChoice choice = parameters.toolChoice();
    if (choice != null && choice != ToolChoice.AUTO) {
      throw unsupported("ToolChoice." + choice);
    }
    if (!parameters.toolSpecifications().isEmpty()) {
      throw unsupported(
          "tools: found %d; calling a tool".formatted(parameters.toolSpecifications().size()));
    }
    messages(request.messages());
  }

  private static UnsupportedFeatureException unsupported(String what) {
    return new UnsupportedFeatureException(what + " is not supported");
  }

  /// @throws UnsupportedFeatureException if one is of a tool or has anything but text
  static List<ChatMessage> messages(List<dev.langchain4j.data.message.ChatMessage> messages) {
    List<ChatMessage> all = new ArrayList<>();
    for (dev.langchain4j.data.message.ChatMessage message : messages) {
      all.add(
          switch (message) {
            case SystemMessage system -> new ChatMessage("system", system.text());
            case UserMessage user -> new ChatMessage("user", text(user.contents()));
            case AiMessage answer when !answer.hasToolExecutionRequests() ->
                new ChatMessage(ChatMessage.ASSISTANT, answer.text() == null ? "" : answer.text());
            case AiMessage _ -> throw unsupported("messages: found a call of a tool, which");
            default ->
                throw unsupported("messages: found one of type " + message.type() + ", which");
          });
    }
    return all;
  }

  private static String text(List<Content> contents) {
    return contents.stream()
        .map(content -> {
          if (content instanceof TextContent text) {
            return text.text();
          }
          throw unsupported(
              "message: found content of type "
                  + content.type().name().toLowerCase(Locale.ROOT)
                  + ", which");
        })
        .collect(Collectors.joining("\n"));
  }

  /// @throws IllegalArgumentException if a parameter is outside of its range
  static Sampling sampling(GatunChatRequestParameters parameters) {
    boolean narrowed =
        parameters.topP() != null || parameters.topK() != null || parameters.minP() != null;
    Double temperature = parameters.temperature();
    Double topP = parameters.topP();
    Integer topK = parameters.topK();
    Long seed = parameters.seed();
    Integer most = parameters.maxOutputTokens();
    return Sampling.greedy(most == null ? Integer.MAX_VALUE : most)
        .withChoice(
            temperature != null ? temperature : narrowed ? 1 : 0,
            topK == null ? 0 : topK,
            topP == null ? 1 : topP,
            or(parameters.minP(), 0))
        .withPenalties(
            or(parameters.repetitionPenalty(), 1),
            or(parameters.presencePenalty(), 0),
            or(parameters.frequencyPenalty(), 0),
            0)
        .withSeed(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
  }

  private static double or(@Nullable Double value, double otherwise) {
    return value == null ? otherwise : value;
  }

  /// {@return the form that a text must have, or null for any text}
  static @Nullable TextForm form(@Nullable ResponseFormat format) {
    if (format == null || format.type() == ResponseFormatType.TEXT) {
      return null;
    }
    JsonSchema schema = format.jsonSchema();
    return schema == null
        ? new TextForm.AnyJson()
        : new TextForm.Schema(Json.toJson(JsonSchemaElementUtils.toMap(schema.rootElement())));
  }
}
