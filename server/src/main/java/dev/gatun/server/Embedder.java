package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.AdapterHandle;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Turns texts into vectors, for `/v1/embeddings`. Called from many threads.
@FunctionalInterface
public interface Embedder {
  /// Embeds texts.
  ///
  /// @param texts at least one
  /// @param adapter the adapter that was asked for, or null for the model as it is
  /// @return their vectors
  /// @throws IOException if it cannot be done
  /// @throws IllegalArgumentException if a text is too long, or the adapter cannot be used
  Embeddings embed(List<String> texts, @Nullable AdapterHandle adapter) throws IOException;

  /// Returns what embeds with a model that writes texts: [dev.gatun.models.engine.Engine#embed].
  ///
  /// @param model the model
  /// @return its embedder
  static Embedder of(LocalModel model) {
    return (texts, adapter) -> {
      List<int[]> ids = texts.stream().map(model.tokenizer()::encodeDocument).toList();
      float[][] vectors = model.engine().embed(ids, adapter);
      return new Embeddings(List.of(vectors), ids.stream().mapToInt(each -> each.length).sum());
    };
  }

  /// The vectors of some texts.
  ///
  /// @param vectors one for each text, in their order
  /// @param tokens tokens of all the texts
  record Embeddings(List<float[]> vectors, int tokens) {}
}
