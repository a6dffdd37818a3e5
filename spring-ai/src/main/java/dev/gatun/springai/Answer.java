package dev.gatun.springai;

import dev.gatun.chat.AnswerPieces;
import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.Usage;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;

/// An answer that grows, piece by piece. For one thread.
final class Answer {
  private final AnswerPieces pieces;
  private final String model;
  private final String id = UUID.randomUUID().toString();

  Answer(Generation generation, String model) {
    this.pieces = new AnswerPieces(generation);
    this.model = model;
  }

  /// Waits for more text.
  ///
  /// @return the next piece, not empty, or null at the end
  /// @throws InterruptedException if the thread is interrupted
  /// @throws dev.gatun.models.engine.EngineException if the request failed
  @Nullable String next() throws InterruptedException {
    return pieces.next();
  }

  /// {@return a piece of the answer, without an end}
  ///
  /// @param text the piece
  ChatResponse piece(String text) {
    return response(text, ChatGenerationMetadata.NULL, metadata().build());
  }

  /// {@return the answer's end with what it took, once [#next] has returned null}
  ///
  /// @param text what it shall have for a text
  /// @throws org.springframework.ai.retry.NonTransientAiException if the engine was closed
  ///   meanwhile
  ChatResponse end(String text) {
    Usage took = pieces.usage();
    FinishReason reason = pieces.reason();
    if (took == null || reason == FinishReason.CANCELLED) {
      throw Failures.closed();
    }
    ChatResponseMetadata metadata =
        metadata()
            .usage(
                new DefaultUsage(
                    took.promptTokens(),
                    took.completionTokens(),
                    took.promptTokens() + took.completionTokens(),
                    took,
                    (long) took.cachedTokens(),
                    null))
            .build();
    return response(
        text, ChatGenerationMetadata.builder().finishReason(reason.name()).build(), metadata);
  }

  private ChatResponseMetadata.Builder metadata() {
    return ChatResponseMetadata.builder().id(id).model(model);
  }

  private static ChatResponse response(
      String text, ChatGenerationMetadata generation, ChatResponseMetadata metadata) {
    return new ChatResponse(
        List.of(
            new org.springframework.ai.chat.model.Generation(
                new AssistantMessage(text), generation)),
        metadata);
  }
}
