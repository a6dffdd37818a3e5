package dev.gatun.springai;

import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
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
  private final Generation generation;
  private final String model;
  private final String id = UUID.randomUUID().toString();
  private FinishReason reason = FinishReason.CANCELLED;
  private @Nullable Usage usage;

  Answer(Generation generation, String model) {
    this.generation = generation;
    this.model = model;
  }

  /// Waits for more text.
  ///
  /// @return the next piece, not empty, or null at the end
  /// @throws InterruptedException if the thread is interrupted
  /// @throws dev.gatun.models.engine.EngineException if the request failed
  @Nullable String next() throws InterruptedException {
    while (usage == null) {
      switch (generation.take()) {
        case GenerationEvent.Text piece
            when piece.text().isEmpty() -> {} // in the middle of a character
        case GenerationEvent.Text piece -> {
          return piece.text();
        }
        case GenerationEvent.ChoiceEnded ended -> reason = ended.reason();
        case GenerationEvent.Ended ended -> usage = ended.usage();
      }
    }
    return null;
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
    Usage took = usage;
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
