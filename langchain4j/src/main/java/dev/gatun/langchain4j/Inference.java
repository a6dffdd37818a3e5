package dev.gatun.langchain4j;

import dev.gatun.chat.LocalModel;
import dev.gatun.chat.TextForm;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationRequest;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a chat model works with: a local model, whether it is the chat model's own, what requests
/// ask for unless they say otherwise, and who is told. Thread-safe.
final class Inference implements AutoCloseable {
  private final LocalModel model;
  private final boolean owned;
  private final GatunChatRequestParameters defaults;
  private final List<ChatModelListener> listeners;

  /// A request under way.
  ///
  /// @param generation its events
  /// @param modelName the adapter's name, or the model's
  record Running(Generation generation, String modelName) {}

  Inference(
      LocalModel model,
      boolean owned,
      GatunChatRequestParameters defaults,
      List<ChatModelListener> listeners) {
    this.model = model;
    this.owned = owned;
    this.defaults =
        GatunChatRequestParameters.builder().modelName(model.name()).overrideWith(defaults).build();
    this.listeners = listeners;
  }

  GatunChatRequestParameters defaults() {
    return defaults;
  }

  List<ChatModelListener> listeners() {
    return listeners;
  }

  /// Begins a request; returns at once.
  ///
  /// @throws dev.langchain4j.exception.LangChain4jException if it is refused
  Running begin(ChatRequest request) {
    Requests.refuseUnsupported(request);
    GatunChatRequestParameters parameters = GatunChatRequestParameters.of(request.parameters());
    AdapterHandle adapter = adapter(parameters.modelName());
    try {
      TextForm form = Requests.form(parameters.responseFormat());
      GenerationRequest asked =
          GenerationRequest.of(
                  model.prompt(Requests.messages(request.messages())),
                  Requests.sampling(parameters))
              .withStops(parameters.stopSequences(), false)
              .withConstraint(form == null ? null : model.constraint(form))
              .withAdapter(adapter);
      Generation generation = model.engine().submit(asked);
      return new Running(generation, adapter == null ? model.name() : adapter.name());
    } catch (RuntimeException e) {
      throw Failures.of(e);
    }
  }

  private @Nullable AdapterHandle adapter(@Nullable String name) {
    try {
      return model.adapter(name);
    } catch (IllegalArgumentException e) {
      throw new ModelNotFoundException(e.getMessage());
    }
  }

  @Override
  public void close() {
    if (owned) {
      model.close();
    }
  }
}
