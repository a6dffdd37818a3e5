package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.EngineStats;
import io.helidon.http.Method;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A model that writes texts.
///
/// @param model the model
/// @param embedder what makes embeddings, or null for none
record LanguageModelService(LocalModel model, @Nullable Embedder embedder) implements ServedModel {
  @Override
  public String name() {
    return model.name();
  }

  @Override
  public int maxTokens() {
    return model.engine().maxTokens();
  }

  @Override
  public List<String> adapters() {
    return model.engine().adapters().stream().map(AdapterHandle::name).toList();
  }

  @Override
  public boolean has(String adapter) {
    return model.engine().adapter(adapter).isPresent();
  }

  @Override
  public int mostAdapters() {
    return 1024;
  }

  @Override
  public void load(String name, Path directory) throws IOException {
    model.engine().load(name, directory);
  }

  @Override
  public boolean unload(String name) {
    return model.engine().unload(name);
  }

  @Override
  public EngineStats stats() {
    return model.engine().stats();
  }

  @Override
  public void addTo(Routes routes, Serving serving) {
    ChatPage.addTo(routes);
    TextAnswers answers = new TextAnswers(model, serving);
    routes
        .keyed(Method.POST, "/v1/chat/completions", new ChatEndpoint(model, answers))
        .keyed(Method.POST, "/v1/completions", new CompletionEndpoint(model, answers))
        .keyed(Method.POST, "/classify", Routes.lacking("classes", "an encoder with a head"));
    if (embedder == null) {
      routes.keyed(
          Method.POST, "/v1/embeddings", Routes.lacking("embeddings", "a server that makes them"));
    } else {
      int vocabulary = model.engine().model().vocabulary();
      routes.keyed(
          Method.POST,
          "/v1/embeddings",
          new EmbeddingEndpoint(
              embedder, model.tokenizer(), vocabulary, serving, answers::adapter));
    }
  }
}
