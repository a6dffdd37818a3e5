package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.GenerationRequest;
import java.util.List;

/// `/v1/completions`.
final class CompletionEndpoint implements Endpoint {
  private static final int MOST_PROMPTS = 256;
  private static final int DEFAULT_TOKENS = 16;

  private final LocalModel model;
  private final TextAnswers answers;
  private final TokenNames names;

  CompletionEndpoint(LocalModel model, TextAnswers answers) {
    this.model = model;
    this.answers = answers;
    this.names = new TokenNames(model.tokenizer());
  }

  @Override
  public void answer(Exchange exchange) {
    JsonFields fields = exchange.fields();
    int logprobs = fields.integer("logprobs", -1, 0, GenerationRequest.MOST_LOGPROBS);
    int tokens = fields.integer("max_tokens", DEFAULT_TOKENS, 1, Integer.MAX_VALUE);
    int vocabulary = model.engine().model().vocabulary();
    TextRequest asked = TextRequest.read(fields, tokens, logprobs, vocabulary);
    boolean echo = fields.flag("echo");
    if (echo && logprobs >= 0) {
      throw fields.refused("echo", "logprobs too", "one of them: prompts have no logarithms here");
    }
    int best = fields.integer("best_of", asked.choices(), 1, GenerationRequest.MOST_CHOICES);
    if (best != asked.choices()) {
      throw fields.refused("best_of", String.valueOf(best), "n: all choices are returned");
    }
    String suffix = fields.text("suffix");
    if (suffix != null && !suffix.isEmpty()) {
      throw fields.refused("suffix", "some", "none: text is continued, not filled in");
    }
    List<TextInput> prompts = TextInput.read(fields, "prompt", MOST_PROMPTS, vocabulary);
    Tokenizer tokenizer = model.tokenizer();
    List<int[]> ids = prompts.stream().map(prompt -> prompt.ids(tokenizer)).toList();
    List<String> echoes =
        prompts.stream().map(prompt -> echo ? prompt.text(tokenizer) : "").toList();
    answers.answer(
        exchange,
        asked,
        ids,
        "prompt",
        new CompletionForm(names, logprobs >= 0, echoes, asked.choices()));
  }
}
