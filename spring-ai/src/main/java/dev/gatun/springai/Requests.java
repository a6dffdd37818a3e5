package dev.gatun.springai;

import dev.gatun.chat.LocalModel;
import dev.gatun.chat.TextForm;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.generate.Sampling;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.model.tool.ToolCallingChatOptions;

/// What Spring AI's prompts mean to an engine.
final class Requests {
  private Requests() {}

  /// @throws UnsupportedOperationException if the prompt asks for what Gatun does not do
  /// @throws IllegalArgumentException if an option is outside of its range, or no adapter has the
  ///   model's name, or the schema is not understood
  static GenerationRequest request(
      LocalModel model, List<Message> messages, GatunChatOptions options) {
    List<String> stops = options.getStopSequences();
    refuseTools(options);
    String schema = options.getOutputSchema();
    return GenerationRequest.of(
            model.prompt(messages.stream().map(Requests::message).toList()), sampling(options))
        .withStops(stops == null ? List.of() : stops.stream().distinct().toList(), false)
        .withConstraint(schema == null ? null : model.constraint(new TextForm.Schema(schema)))
        .withAdapter(model.adapter(options.getModel()));
  }

  private static UnsupportedOperationException unsupported(String what) {
    return new UnsupportedOperationException(what + " is not supported");
  }

  private static void refuseTools(ToolCallingChatOptions options) {
    var tools = options.getToolCallbacks();
    if (tools != null && !tools.isEmpty()) {
      throw unsupported("tools: found " + tools.size() + "; calling a tool");
    }
  }

  private static ChatMessage message(Message message) {
    return switch (message) {
      case SystemMessage system -> new ChatMessage("system", text(system));
      case UserMessage user when user.getMedia().isEmpty() -> new ChatMessage("user", text(user));
      case UserMessage user ->
          throw unsupported(
              "message: found media of type "
                  + user.getMedia().getFirst().getMimeType()
                  + ", which");
      case AssistantMessage answer when !answer.hasToolCalls() && answer.getMedia().isEmpty() ->
          new ChatMessage(ChatMessage.ASSISTANT, text(answer));
      default ->
          throw unsupported(
              "messages: found one of type "
                  + message.getMessageType()
                  + " with more than text, which");
    };
  }

  private static String text(Message message) {
    String text = message.getText();
    return text == null ? "" : text;
  }

  /// @throws IllegalArgumentException if an option is outside of its range
  static Sampling sampling(GatunChatOptions options) {
    boolean narrowed =
        options.getTopP() != null || options.getTopK() != null || options.getMinP() != null;
    Integer topK = options.getTopK();
    Integer most = options.getMaxTokens();
    Long seed = options.getSeed();
    return Sampling.greedy(most == null ? Integer.MAX_VALUE : most)
        .withChoice(
            or(options.getTemperature(), narrowed ? 1 : 0),
            topK == null ? 0 : topK,
            or(options.getTopP(), 1),
            or(options.getMinP(), 0))
        .withPenalties(
            or(options.getRepetitionPenalty(), 1),
            or(options.getPresencePenalty(), 0),
            or(options.getFrequencyPenalty(), 0),
            0)
        .withSeed(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
  }

  private static double or(@Nullable Double value, double otherwise) {
    return value == null ? otherwise : value;
  }
}
