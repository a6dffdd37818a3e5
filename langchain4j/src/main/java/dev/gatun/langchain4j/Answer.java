package dev.gatun.langchain4j;

import dev.gatun.langchain4j.Inference.Running;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.Usage;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// An answer that grows, piece by piece. For one thread.
final class Answer {
  private final Generation generation;
  private final String modelName;
  private final StringBuilder text = new StringBuilder();
  private FinishReason reason = FinishReason.OTHER;
  private boolean cancelled;
  private @Nullable Usage usage;

  Answer(Running running) {
    this.generation = running.generation();
    this.modelName = running.modelName();
  }

  /// Waits for more text.
  ///
  /// @return the next piece, not empty, or null at the end
  /// @throws InterruptedException if the thread is interrupted
  /// @throws LangChain4jException if the request failed
  @Nullable String next() throws InterruptedException {
    while (usage == null) {
      switch (take()) {
        case GenerationEvent.Text piece -> {
          text.append(piece.text());
          if (!piece.text().isEmpty()) {
            return piece.text();
          }
        }
        case GenerationEvent.ChoiceEnded ended -> {
          cancelled = ended.reason() == dev.gatun.models.engine.FinishReason.CANCELLED;
          reason =
              switch (ended.reason()) {
                case STOP -> FinishReason.STOP;
                case LENGTH -> FinishReason.LENGTH;
                case CANCELLED -> FinishReason.OTHER;
              };
        }
        case GenerationEvent.Ended ended -> usage = ended.usage();
      }
    }
    return null;
  }

  private GenerationEvent take() throws InterruptedException {
    try {
      return generation.take();
    } catch (RuntimeException e) {
      throw Failures.of(e);
    }
  }

  /// {@return the whole answer, once [#next] has returned null}
  ///
  /// @throws LangChain4jException if the engine was closed meanwhile
  ChatResponse response() {
    Usage took = usage;
    if (cancelled || took == null) {
      throw Failures.closed();
    }
    return ChatResponse.builder()
        .id(UUID.randomUUID().toString())
        .modelName(modelName)
        .aiMessage(AiMessage.from(text.toString()))
        .tokenUsage(new TokenUsage(took.promptTokens(), took.completionTokens()))
        .finishReason(reason)
        .build();
  }

  /// Waits for the whole answer. A thread that is interrupted gives the request up.
  ///
  /// @throws LangChain4jException if the request failed, or the thread was interrupted
  ChatResponse await() {
    try (generation) {
      while (next() != null) {
        // the pieces are kept
      }
      return response();
    } catch (InterruptedException e) {
      throw Failures.interrupted(e);
    }
  }

  /// Gives the request up.
  void cancel() {
    generation.cancel();
  }
}
