package dev.gatun.server;

import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.EngineStats;
import io.helidon.http.Method;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An encoder: embeddings by the model alone, classes through its adapters, too.
///
/// @param model the encoder
record EncoderService(EncoderModel model) implements ServedModel {
  private static final String A_WRITER = "a model that writes texts; this one is an encoder";

  @Override
  public String name() {
    return model.name();
  }

  @Override
  public int maxTokens() {
    return model.encoder().maxTokens();
  }

  @Override
  public List<String> adapters() {
    return model.adapters();
  }

  @Override
  public boolean has(String adapter) {
    return model.has(adapter);
  }

  @Override
  public int mostAdapters() {
    return 64; // each has a tokenizer and a thread
  }

  @Override
  public void load(String name, Path directory) throws IOException {
    model.load(name, directory);
  }

  @Override
  public boolean unload(String name) {
    return model.unload(name);
  }

  @Override
  public @Nullable EngineStats stats() {
    return null;
  }

  @Override
  public void addTo(Routes routes, Serving serving) {
    Tokenizer tokenizer = model.encoder().tokenizer();
    Embedder embedder = Embedder.of(model.encoder());
    routes
        .keyed(Method.POST, "/v1/chat/completions", Routes.lacking("chats", A_WRITER))
        .keyed(Method.POST, "/v1/completions", Routes.lacking("completions", A_WRITER))
        .keyed(
            Method.POST,
            "/v1/embeddings",
            new EmbeddingEndpoint(
                embedder,
                tokenizer,
                tokenizer.vocabularySize(),
                serving,
                name -> none(serving.adapters().adapter(name))))
        .keyed(Method.POST, "/classify", new ClassifyEndpoint(model, serving));
  }

  /// Refuses an adapter, which embeds nothing.
  private static @Nullable AdapterHandle none(@Nullable String adapter) {
    if (adapter != null) {
      throw ApiException.field(
          "model", "the adapter " + adapter, "the encoder alone: adapters are for classes");
    }
    return null;
  }
}
