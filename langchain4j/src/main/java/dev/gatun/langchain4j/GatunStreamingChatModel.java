package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatModelStreamingEvent;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Flow;

/// A chat model that runs here and tells of its answers piece by piece: [GatunChatModel] in all
/// else.
///
/// Each answer is told on a virtual thread of its own, so that a slow handler holds up no other
/// request. What is not supported is thrown to the caller; everything else goes to the handler, or
/// to the subscriber.
///
/// A handler gives an answer up through the handle of
/// [dev.langchain4j.model.chat.response.PartialResponseContext], a subscriber through its
/// subscription; it is then told nothing more, and the engine takes up other work before its next
/// token.
public final class GatunStreamingChatModel implements StreamingChatModel, AutoCloseable {
  private final Inference inference;

  private GatunStreamingChatModel(Inference inference) {
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
  public void doChat(ChatRequest chatRequest, StreamingChatResponseHandler handler) {
    Requests.refuseUnsupported(chatRequest);
    Telling telling = new Telling(handler);
    Thread.ofVirtual()
        .name("gatun-answer")
        .start(() -> telling.tell(() -> inference.begin(chatRequest)));
  }

  @Override
  public Flow.Publisher<ChatModelStreamingEvent> doChat(ChatRequest chatRequest) {
    return new AnswerPublisher(() -> inference.begin(chatRequest));
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
    public GatunStreamingChatModel build() {
      return new GatunStreamingChatModel(inference());
    }

    @Override
    Builder self() {
      return this;
    }
  }
}
