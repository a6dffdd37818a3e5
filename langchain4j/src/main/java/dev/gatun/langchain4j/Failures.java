package dev.gatun.langchain4j;

import dev.gatun.models.engine.EngineException;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;

/// LangChain4j's exceptions for what an engine throws, which is their cause.
final class Failures {
  private Failures() {}

  static LangChain4jException of(RuntimeException failure) {
    String message = failure.getMessage();
    return switch (failure) {
      case LangChain4jException known -> known;
      case EngineException engine ->
          switch (engine.kind()) {
            case BUSY -> new RateLimitException(message, engine);
            case ADAPTER -> new ModelNotFoundException(message, engine);
            case FAILED -> new InternalServerException(message, engine);
            case CLOSED -> new NonRetriableException(message, engine);
          };
      // of the ranges of parameters, and of prompts that are empty or too long
      case IllegalArgumentException range -> new InvalidRequestException(message, range);
      default -> new NonRetriableException(message, failure);
    };
  }

  /// {@return what the caller of an interrupted thread gets; the thread is interrupted again}
  static LangChain4jException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new NonRetriableException("interrupted while the model answered", cause);
  }

  /// {@return what a request gets that the engine gave up because it was closed}
  static LangChain4jException closed() {
    return new NonRetriableException("the engine was closed before the answer's end");
  }
}
