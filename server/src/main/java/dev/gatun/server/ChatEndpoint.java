package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.engine.GenerationRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// `/v1/chat/completions`.
final class ChatEndpoint implements Endpoint {
  private static final int MOST_MESSAGES = 4096;
  private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

  private final LocalModel model;
  private final TextAnswers answers;
  private final TokenNames names;

  ChatEndpoint(LocalModel model, TextAnswers answers) {
    this.model = model;
    this.answers = answers;
    this.names = new TokenNames(model.tokenizer());
  }

  @Override
  public void answer(Exchange exchange) {
    JsonFields fields = exchange.fields();
    boolean logprobs = fields.flag("logprobs");
    int likeliest = fields.integer("top_logprobs", 0, 0, GenerationRequest.MOST_LOGPROBS);
    int vocabulary = model.engine().model().vocabulary();
    TextRequest asked =
        TextRequest.read(fields, maxTokens(fields), logprobs ? likeliest : -1, vocabulary);
    for (String unknown : List.of("tools", "functions")) {
      if (!fields.array(unknown, MOST_MESSAGES).isEmpty()) {
        throw fields.refused(unknown, "some", "none: calls are not supported");
      }
    }
    List<ChatMessage> messages = messages(fields);
    int[] prompt;
    try {
      prompt = model.prompt(messages);
    } catch (IllegalArgumentException e) { // a template's own refusal
      throw ApiException.invalid("messages", "messages: " + e.getMessage());
    }
    answers.answer(exchange, asked, List.of(prompt), "messages", new ChatForm(names, logprobs));
  }

  private static int maxTokens(JsonFields fields) {
    int old = fields.integer("max_tokens", Integer.MAX_VALUE, 1, Integer.MAX_VALUE);
    return fields.integer("max_completion_tokens", old, 1, Integer.MAX_VALUE);
  }

  private static List<ChatMessage> messages(JsonFields fields) {
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonNode each : fields.array("messages", MOST_MESSAGES)) {
      JsonFields message = JsonFields.of(each, "messages[" + messages.size() + "]");
      String role = message.requiredText("role");
      String known = role.equals("developer") ? "system" : role;
      if (!ROLES.contains(known)) {
        throw message.refused("role", role, "system, developer, user, assistant or tool");
      }
      messages.add(new ChatMessage(known, content(message)));
    }
    if (messages.isEmpty()) {
      throw fields.refused("messages", "none", "at least one message");
    }
    return messages;
  }

  private static String content(JsonFields message) {
    JsonNode content = message.value("content");
    if (content == null || content.isString()) {
      return content == null ? "" : message.requiredText("content");
    }
    StringBuilder text = new StringBuilder();
    int at = 0;
    for (JsonNode each : message.array("content", MOST_MESSAGES)) {
      JsonFields part = JsonFields.of(each, message.path("content[" + at++ + "]"));
      String type = part.requiredText("type");
      if (!type.equals("text")) {
        throw part.refused("type", type, "text");
      }
      text.append(part.requiredText("text"));
    }
    return text.toString();
  }
}
