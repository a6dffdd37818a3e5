package dev.gatun.server;

import dev.gatun.chat.LocalEncoder;
import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.runtime.ShapeException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Turns texts into vectors, for `/v1/embeddings`. Called from many threads; for a request of many
/// texts several times.
@FunctionalInterface
public interface Embedder {
  /// Embeds texts.
  ///
  /// @param texts at least one
  /// @param adapter the adapter that was asked for, or null for the model as it is
  /// @param cut whether texts that are too long are cut at their ends, not refused
  /// @return their vectors
  /// @throws IOException if it cannot be done
  /// @throws ShapeException if a text is too long
  /// @throws IllegalArgumentException if the adapter cannot be used
  Embeddings embed(List<String> texts, @Nullable AdapterHandle adapter, boolean cut)
      throws IOException;

  /// Returns what embeds with a model that writes texts: [dev.gatun.models.engine.Engine#embed].
  ///
  /// @param model the model
  /// @return its embedder
  static Embedder of(LocalModel model) {
    return (texts, adapter, cut) -> {
      int most = cut ? model.engine().maxTokens() : Integer.MAX_VALUE;
      List<int[]> ids =
          texts.stream()
              .map(model.tokenizer()::encodeDocument)
              .map(each -> each.length > most ? Arrays.copyOf(each, most) : each)
              .toList();
      float[][] vectors = model.engine().embed(ids, adapter);
      return new Embeddings(List.of(vectors), ids.stream().mapToInt(each -> each.length).sum());
    };
  }

  /// Returns what embeds with an encoder, which has no adapters.
  ///
  /// @param encoder the encoder
  /// @return its embedder
  static Embedder of(LocalEncoder encoder) {
    return (texts, adapter, cut) -> {
      if (adapter != null) {
        throw new IllegalArgumentException(
            "model: found the adapter %s, expected the encoder alone: adapters are for classes"
                .formatted(adapter.name()));
      }
      if (!cut && texts.stream().anyMatch(encoder::isCut)) {
        throw new ShapeException(Truncation.refusal(encoder.maxTokens()));
      }
      return new Embeddings(List.of(encoder.embed(texts)), encoder.tokens(texts));
    };
  }

  /// The vectors of some texts.
  ///
  /// @param vectors one for each text, in their order
  /// @param tokens tokens of all the texts
  record Embeddings(List<float[]> vectors, int tokens) {}
}
