package dev.gatun.langchain4j;

import dev.gatun.langchain4j.Inference.Running;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/// A chat model that runs here. Many may share one [dev.gatun.chat.LocalModel]; their requests run
/// side by side, each through its own adapter. Thread-safe; callers may be virtual threads.
///
/// | what happened | exception of `dev.langchain4j.exception` |
/// |---|---|
/// | the queue is full | `RateLimitException`, which may be tried again |
/// | a pass failed | `InternalServerException`, which may be tried again |
/// | there is no such adapter | `ModelNotFoundException` |
/// | a prompt is too long, a parameter outside of its range, a schema not understood | `InvalidRequestException` |
/// | the engine is closed, the thread was interrupted | `NonRetriableException` |
/// | tools or images were asked for | `UnsupportedFeatureException` |
public final class GatunChatModel implements ChatModel, AutoCloseable {
  private final Inference inference;

  private GatunChatModel(Inference inference) {
    this.inference = inference;
  }

  /// {@return a builder with nothing set}
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
  }

  @Override
  public ChatResponse doChat(ChatRequest chatRequest) {
    return new Answer(inference.begin(chatRequest)).await();
  }

  @Override
  public CompletableFuture<ChatResponse> doChatAsync(ChatRequest chatRequest) {
    Running running = inference.begin(chatRequest);
    CompletableFuture<ChatResponse> future =
        new CompletableFuture<>() {
          @Override
          public boolean cancel(boolean mayInterruptIfRunning) {
            running.generation().cancel();
            return super.cancel(mayInterruptIfRunning);
          }
        };
    Thread.ofVirtual()
        .name("gatun-answer")
        .start(() -> {
          try {
            future.complete(new Answer(running).await());
          } catch (RuntimeException e) {
            future.completeExceptionally(e);
          }
        });
    return future;
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return inference.defaults();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return inference.listeners();
  }

  /// Closes the model if it was opened by [ChatModelBuilder#directory], and does nothing to one
  /// that is shared.
  @Override
  public void close() {
    inference.close();
  }

  /// Builds a chat model.
  public static final class Builder extends ChatModelBuilder<Builder> {
    private Builder() {}

    /// {@return the chat model, to be closed if it has a directory of its own}
    ///
    /// @throws IllegalArgumentException if not exactly one of model and directory is given, or
    ///   adapters for a shared model
    /// @throws java.io.UncheckedIOException if the directory or an adapter cannot be read
    public GatunChatModel build() {
      return new GatunChatModel(inference());
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
