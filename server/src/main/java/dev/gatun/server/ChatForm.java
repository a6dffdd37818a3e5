package dev.gatun.server;

import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.GenerationEvent.Candidate;
import dev.gatun.models.engine.GenerationEvent.Token;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The form of `/v1/chat/completions`.
final class ChatForm implements AnswerForm {
  private final TokenNames names;
  private final boolean logprobs;

  /// @param logprobs whether they were asked for
  ChatForm(TokenNames names, boolean logprobs) {
    this.names = names;
    this.logprobs = logprobs;
  }

  @Override
  public String prefix() {
    return "chatcmpl-";
  }

  @Override
  public String object(boolean streamed) {
    return streamed ? "chat.completion.chunk" : "chat.completion";
  }

  @Override
  public ObjectNode begin(int index) {
    ObjectNode choice = choice(index);
    choice.putObject("delta").put("role", "assistant").put("content", "");
    return closed(choice, List.of(), null);
  }

  @Override
  public ObjectNode more(int index, String text, List<Token> tokens) {
    ObjectNode choice = choice(index);
    choice.putObject("delta").put("content", text);
    return closed(choice, tokens, null);
  }

  @Override
  public ObjectNode end(int index, FinishReason reason) {
    ObjectNode choice = choice(index);
    choice.putObject("delta");
    return closed(choice, List.of(), AnswerForm.word(reason));
  }

  @Override
  public ObjectNode whole(int index, String text, List<Token> tokens, FinishReason reason) {
    ObjectNode choice = choice(index);
    choice.putObject("message").put("role", "assistant").put("content", text).putNull("refusal");
    return closed(choice, tokens, AnswerForm.word(reason));
  }

  private static ObjectNode choice(int index) {
    return Json.object().put("index", index);
  }

  private ObjectNode closed(ObjectNode choice, List<Token> tokens, @Nullable String reason) {
    if (logprobs && !tokens.isEmpty()) {
      ObjectNode told = choice.putObject("logprobs");
      ArrayNode content = told.putArray("content");
      tokens.forEach(token -> write(content.addObject(), token));
      told.putNull("refusal");
    } else {
      choice.putNull("logprobs");
    }
    return choice.put("finish_reason", reason);
  }

  private void write(ObjectNode out, Token token) {
    write(out, token.id(), token.logprob());
    ArrayNode likeliest = out.putArray("top_logprobs");
    for (Candidate candidate : token.likeliest()) {
      write(likeliest.addObject(), candidate.id(), candidate.logprob());
    }
  }

  private void write(ObjectNode out, int id, double logprob) {
    out.put("token", names.text(id));
    out.put("logprob", Math.max(logprob, LEAST_LOGPROB));
    names.bytes(id, out.putArray("bytes"));
  }
}
