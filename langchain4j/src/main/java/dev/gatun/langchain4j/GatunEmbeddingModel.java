package dev.gatun.langchain4j;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// An embedding model that runs here. Thread-safe if what embeds is.
///
/// Its builder takes what embeds as a function, which the caller closes: many models may share one.
public final class GatunEmbeddingModel extends DimensionAwareEmbeddingModel {
  private final Function<List<String>, float[][]> embedder;
  private final String modelName;
  private final List<EmbeddingModelListener> listeners;

  private GatunEmbeddingModel(
      Function<List<String>, float[][]> embedder,
      int dimension,
      String modelName,
      List<EmbeddingModelListener> listeners) {
    this.embedder = embedder;
    this.dimension = dimension;
    this.modelName = modelName;
    this.listeners = listeners;
  }

  /// {@return a builder with nothing set}
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
    float[][] vectors = vectors(texts);
    if (vectors.length != texts.size()) {
      throw new IllegalStateException(
          "embeddings: found %d, expected %d".formatted(vectors.length, texts.size()));
    }
    return EmbeddingResponse.builder()
        .embeddings(Arrays.stream(vectors).map(Embedding::from).toList())
        .metadata(EmbeddingResponseMetadata.builder().modelName(modelName).build())
        .build();
  }

  private float[][] vectors(List<String> texts) {
    try {
      return embedder.apply(texts);
    } catch (RuntimeException e) {
      throw Failures.of(e);
    }
  }

  @Override
  public CompletableFuture<EmbeddingResponse> doEmbedAsync(EmbeddingRequest request) {
    return CompletableFuture.supplyAsync(
        () -> doEmbed(request), task -> Thread.ofVirtual().name("gatun-embedding").start(task));
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  @Override
  public String modelName() {
    return modelName;
  }

  /// Builds an embedding model.
  public static final class Builder {
    private @Nullable Function<List<String>, float[][]> embedder;
    private int dimension;
    private String modelName = "gatun";
    private List<EmbeddingModelListener> listeners = List.of();

    private Builder() {}

    /// Sets what embeds.
    ///
    /// @param value gives a vector of as many numbers for each text
    /// @param numbers how many, at least 1
    /// @return this
    @CanIgnoreReturnValue
    public Builder embedder(Function<List<String>, float[][]> value, int numbers) {
      embedder = value;
      dimension = numbers;
      return this;
    }

    /// Sets what the model is called.
    ///
    /// @param value a name
    /// @return this
    @CanIgnoreReturnValue
    public Builder modelName(String value) {
      modelName = value;
      return this;
    }

    /// Sets who is told of requests, vectors and errors.
    ///
    /// @param value the listeners
    /// @return this
    @CanIgnoreReturnValue
    public Builder listeners(List<EmbeddingModelListener> value) {
      listeners = List.copyOf(value);
      return this;
    }

    /// {@return the embedding model}
    ///
    /// @throws IllegalArgumentException if nothing embeds, or its vectors have no numbers
    public GatunEmbeddingModel build() {
      Function<List<String>, float[][]> given = embedder;
      if (given == null || dimension < 1) {
        throw new IllegalArgumentException(
            "embedder: found %s of %d numbers, expected one of at least 1"
                .formatted(given == null ? "none" : "one", dimension));
      }
      return new GatunEmbeddingModel(given, dimension, modelName, listeners);
    }
  }
}
