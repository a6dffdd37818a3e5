package dev.gatun.langchain4j;

import dev.gatun.chat.AnswerPieces;
import dev.gatun.langchain4j.Inference.Running;
import dev.gatun.models.engine.Generation;
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
  private final AnswerPieces pieces;
  private final String modelName;
  private final StringBuilder text = new StringBuilder();

  Answer(Running running) {
    this.generation = running.generation();
    this.pieces = new AnswerPieces(generation);
    this.modelName = running.modelName();
  }

  /// Waits for more text.
  ///
  /// @return the next piece, not empty, or null at the end
  /// @throws InterruptedException if the thread is interrupted
  /// @throws LangChain4jException if the request failed
  @Nullable String next() throws InterruptedException {
    try {
      String piece = pieces.next();
      if (piece != null) {
        text.append(piece);
      }
      return piece;
    } catch (RuntimeException e) {
      throw Failures.of(e);
    }
  }

  /// {@return the whole answer, once [#next] has returned null}
  ///
  /// @throws LangChain4jException if the engine was closed meanwhile
  ChatResponse response() {
    Usage took = pieces.usage();
    if (took == null) {
      throw Failures.closed();
    }
    FinishReason reason =
        switch (pieces.reason()) {
          case STOP -> FinishReason.STOP;
          case LENGTH -> FinishReason.LENGTH;
          case CANCELLED -> throw Failures.closed();
        };
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
