package dev.gatun.server;

import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.GenerationEvent.Candidate;
import dev.gatun.models.engine.GenerationEvent.Token;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The form of `/v1/completions`.
final class CompletionForm implements AnswerForm {
  private final TokenNames names;
  private final boolean logprobs;
  private final List<String> echoes;
  private final int choices;
  private final int[] offsets;

  /// @param logprobs whether they were asked for
  /// @param echoes what stands in front of the answers to each prompt; may be empty texts
  /// @param choices answers to each prompt
  CompletionForm(TokenNames names, boolean logprobs, List<String> echoes, int choices) {
    this.names = names;
    this.logprobs = logprobs;
    this.echoes = echoes;
    this.choices = choices;
    this.offsets = new int[echoes.size() * choices];
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = echo(i).length();
    }
  }

  private String echo(int index) {
    return echoes.get(index / choices);
  }

  @Override
  public String prefix() {
    return "cmpl-";
  }

  @Override
  public String object(boolean streamed) {
    return "text_completion";
  }

  @Override
  public @Nullable ObjectNode begin(int index) {
    String echo = echo(index);
    return echo.isEmpty() ? null : choice(index, echo, List.of(), null);
  }

  @Override
  public ObjectNode more(int index, String text, List<Token> tokens) {
    return choice(index, text, tokens, null);
  }

  @Override
  public ObjectNode end(int index, FinishReason reason) {
    return choice(index, "", List.of(), reason);
  }

  @Override
  public ObjectNode whole(int index, String text, List<Token> tokens, FinishReason reason) {
    return choice(index, echo(index) + text, tokens, reason);
  }

  private ObjectNode choice(
      int index, String text, List<Token> tokens, @Nullable FinishReason reason) {
    ObjectNode choice = Json.object().put("index", index).put("text", text);
    if (logprobs && !tokens.isEmpty()) {
      tell(choice.putObject("logprobs"), index, tokens);
    } else {
      choice.putNull("logprobs");
    }
    return choice.put("finish_reason", reason == null ? null : AnswerForm.word(reason));
  }

  private void tell(ObjectNode out, int index, List<Token> all) {
    ArrayNode tokens = out.putArray("tokens");
    ArrayNode own = out.putArray("token_logprobs");
    ArrayNode likeliest = out.putArray("top_logprobs");
    ArrayNode places = out.putArray("text_offset");
    for (Token token : all) {
      String text = names.text(token.id());
      tokens.add(text);
      own.add(Math.max(token.logprob(), LEAST_LOGPROB));
      ObjectNode top = likeliest.addObject();
      for (Candidate candidate : token.likeliest()) {
        top.put(names.text(candidate.id()), Math.max(candidate.logprob(), LEAST_LOGPROB));
      }
      top.put(text, Math.max(token.logprob(), LEAST_LOGPROB));
      places.add(offsets[index]);
      offsets[index] += text.length();
    }
  }
}
