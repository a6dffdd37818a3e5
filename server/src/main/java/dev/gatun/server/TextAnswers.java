package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.GenerationEvent.Token;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.engine.Usage;
import dev.gatun.models.generate.TokenConstraint;
import dev.gatun.runtime.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Runs requests for text and answers them, as a whole or token by token.
final class TextAnswers {
  private final LocalModel model;
  private final Serving serving;

  TextAnswers(LocalModel model, Serving serving) {
    this.model = model;
    this.serving = serving;
  }

  /// What all parts of an answer have in common.
  private record Envelope(String id, String model, long created, AnswerForm form) {
    ObjectNode part(boolean streamed) {
      return Json.object()
          .put("id", id)
          .put("object", form.object(streamed))
          .put("created", created)
          .put("model", model);
    }
  }

  /// Answers a request.
  ///
  /// @param prompts at least one prompt's ids
  /// @param promptField the field they came from
  /// @param form how to write it
  void answer(
      Exchange exchange,
      TextRequest asked,
      List<int[]> prompts,
      String promptField,
      AnswerForm form) {
    String name = serving.adapters().name(asked.model());
    GenerationRequest request = request(asked, adapter(name));
    Metrics metrics = serving.metrics();
    metrics.asked(name);
    try (RunningTexts texts = new RunningTexts(exchange, metrics, serving.stopping())) {
      for (int[] prompt : prompts) {
        submit(texts, request.withPrompt(prompt), promptField);
      }
      exchange.watch();
      String id = form.prefix() + UUID.randomUUID().toString().replace("-", "");
      Envelope envelope = new Envelope(id, name, System.currentTimeMillis() / 1000, form);
      if (asked.stream()) {
        stream(exchange, asked, texts, envelope);
      } else {
        whole(exchange, asked, texts, envelope);
      }
    } finally {
      metrics.whole((System.nanoTime() - exchange.began()) / 1e9);
    }
  }

  /// Finds the adapter of a name, null for the base's.
  ///
  /// @throws ApiException if there is none
  @Nullable AdapterHandle adapter(String name) {
    String adapter = serving.adapters().adapter(name);
    return adapter == null
        ? null
        : model.engine().adapter(adapter).orElseThrow(() -> ApiException.noModel(name));
  }

  private void submit(RunningTexts texts, GenerationRequest request, String promptField) {
    try {
      texts.submit(model.engine(), request);
    } catch (ShapeException e) {
      throw ApiException.tooLong(promptField, e.getMessage());
    } catch (IllegalArgumentException e) { // all else that the engine refuses
      throw ApiException.invalid("ensemble", String.valueOf(e.getMessage()));
    }
  }

  private GenerationRequest request(TextRequest asked, @Nullable AdapterHandle adapter) {
    return GenerationRequest.of(new int[] {0}, asked.sampling())
        .withAdapter(adapter)
        .withStops(asked.stops(), asked.ignoreEos())
        .withChoices(asked.choices())
        .withLogprobs(asked.logprobs())
        .withConstraint(constraint(asked.form()))
        .withEnsemble(asked.ensemble());
  }

  private @Nullable TokenConstraint constraint(@Nullable AskedForm asked) {
    if (asked == null) {
      return null;
    }
    try {
      return model.constraint(asked.form());
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid(asked.param(), asked.param() + ": " + e.getMessage());
    }
  }

  private static void stream(
      Exchange exchange, TextRequest asked, RunningTexts texts, Envelope envelope) {
    EventStream stream = exchange.stream();
    stream.ping(); // the headers shall not wait for the first token
    int count = texts.generations().size() * asked.choices();
    for (int i = 0; i < count; i++) {
      send(stream, asked, envelope, envelope.form().begin(i));
    }
    int first = 0;
    for (Generation generation : texts.generations()) {
      boolean runs = true;
      while (runs) {
        switch (texts.next(generation, stream)) {
          case GenerationEvent.Text text when text.text().isEmpty() && asked.logprobs() < 0 -> {}
          case GenerationEvent.Text text -> {
            int index = first + text.choice();
            send(stream, asked, envelope, envelope.form().more(index, text.text(), text.tokens()));
          }
          case GenerationEvent.ChoiceEnded ended -> {
            int index = first + ended.choice();
            send(stream, asked, envelope, envelope.form().end(index, ended.reason()));
          }
          case GenerationEvent.Ended ended -> runs = false;
        }
      }
      first += asked.choices();
    }
    if (asked.includeUsage()) {
      ObjectNode last = envelope.part(true);
      last.putArray("choices");
      last.set("usage", usage(texts.usage()));
      stream.data(last);
    }
    stream.done();
    stream.close();
  }

  private static void send(
      EventStream stream, TextRequest asked, Envelope envelope, @Nullable ObjectNode choice) {
    if (choice != null) {
      ObjectNode part = envelope.part(true);
      part.putArray("choices").add(choice);
      if (asked.includeUsage()) {
        part.putNull("usage");
      }
      stream.data(part);
    }
  }

  private static void whole(
      Exchange exchange, TextRequest asked, RunningTexts texts, Envelope envelope) {
    ObjectNode answer = envelope.part(false);
    ArrayNode choices = answer.putArray("choices");
    for (Generation generation : texts.generations()) {
      for (WholeChoice choice : collect(texts, generation, asked.choices())) {
        choices.add(
            envelope
                .form()
                .whole(choices.size(), choice.text.toString(), choice.tokens, choice.reason));
      }
    }
    answer.set("usage", usage(texts.usage()));
    exchange.send(answer);
  }

  private static final class WholeChoice {
    private final StringBuilder text = new StringBuilder();
    private final List<Token> tokens = new ArrayList<>();
    private FinishReason reason = FinishReason.CANCELLED;
  }

  private static List<WholeChoice> collect(RunningTexts texts, Generation generation, int count) {
    List<WholeChoice> choices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      choices.add(new WholeChoice());
    }
    while (true) {
      switch (texts.next(generation, null)) {
        case GenerationEvent.Text text -> {
          choices.get(text.choice()).text.append(text.text());
          choices.get(text.choice()).tokens.addAll(text.tokens());
        }
        case GenerationEvent.ChoiceEnded ended -> {
          if (ended.reason() == FinishReason.CANCELLED) { // only the engine's end does that here
            throw ApiException.stopping();
          }
          choices.get(ended.choice()).reason = ended.reason();
        }
        case GenerationEvent.Ended ended -> {
          return choices;
        }
      }
    }
  }

  private static ObjectNode usage(Usage usage) {
    ObjectNode json = Json.object();
    json.put("prompt_tokens", usage.promptTokens());
    json.put("completion_tokens", usage.completionTokens());
    json.put("total_tokens", usage.promptTokens() + usage.completionTokens());
    json.putObject("prompt_tokens_details").put("cached_tokens", usage.cachedTokens());
    return json;
  }
}
