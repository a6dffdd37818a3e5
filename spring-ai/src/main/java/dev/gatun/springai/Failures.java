package dev.gatun.springai;

import dev.gatun.models.engine.EngineException;
import org.springframework.ai.retry.NonTransientAiException;
import org.springframework.ai.retry.TransientAiException;

/// Spring AI's exceptions for what an engine throws, which is their cause.
final class Failures {
  private Failures() {}

  static RuntimeException of(RuntimeException failure) {
    String message = String.valueOf(failure.getMessage());
    return switch (failure) {
      case UnsupportedOperationException known -> known;
      case TransientAiException known -> known;
      case NonTransientAiException known -> known;
      case EngineException engine ->
          switch (engine.kind()) {
            case BUSY, FAILED -> new TransientAiException(message, engine);
            case ADAPTER, CLOSED -> new NonTransientAiException(message, engine);
          };
      default -> new NonTransientAiException(message, failure);
    };
  }

  /// {@return what the caller of an interrupted thread gets; the thread is interrupted again}
  static RuntimeException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new NonTransientAiException("interrupted while the model answered", cause);
  }

  /// {@return what a request gets that the engine gave up because it was closed}
  static RuntimeException closed() {
    return new NonTransientAiException("the engine was closed before the answer's end");
  }
}
