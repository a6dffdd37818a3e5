package dev.gatun.springai;

import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.springframework.ai.chat.metadata.EmptyUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationContext;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationDocumentation;

/// An embedding model that runs here. It takes what embeds as a function, which the caller closes:
/// many models may share one. Thread-safe if the function is.
public final class GatunEmbeddingModel implements EmbeddingModel {
  private static final EmbeddingModelObservationConvention CONVENTION =
      new DefaultEmbeddingModelObservationConvention();

  private final Function<List<String>, float[][]> embedder;
  private final int dimensions;
  private final String name;
  private final ObservationRegistry registry;

  /// Makes a model.
  ///
  /// @param embedder gives a vector for each text
  /// @param dimensions numbers of a vector, at least 1
  /// @param name what the model is called
  /// @param registry who observes calls, or [ObservationRegistry#NOOP]
  public GatunEmbeddingModel(
      Function<List<String>, float[][]> embedder,
      int dimensions,
      String name,
      ObservationRegistry registry) {
    if (dimensions < 1) {
      throw new IllegalArgumentException(
          "dimensions: found " + dimensions + ", expected at least 1");
    }
    this.embedder = embedder;
    this.dimensions = dimensions;
    this.name = name;
    this.registry = registry;
  }

  /// Embeds texts.
  ///
  /// @param request texts; its options may repeat this model's name and dimensions
  /// @return their vectors in order
  /// @throws UnsupportedOperationException if other dimensions are asked for
  /// @throws org.springframework.ai.retry.NonTransientAiException if embedding fails
  @Override
  public EmbeddingResponse call(EmbeddingRequest request) {
    EmbeddingOptions options = request.getOptions();
    Integer asked = options == null ? null : options.getDimensions();
    if (asked != null && asked != dimensions) {
      throw new UnsupportedOperationException(
          "dimensions: found %d, expected %d: another number is not supported"
              .formatted(asked, dimensions));
    }
    EmbeddingModelObservationContext context =
        EmbeddingModelObservationContext.builder()
            .embeddingRequest(
                new EmbeddingRequest(
                    request.getInstructions(),
                    EmbeddingOptions.builder().model(name).dimensions(dimensions).build()))
            .provider("gatun")
            .build();
    EmbeddingResponse response =
        EmbeddingModelObservationDocumentation.EMBEDDING_MODEL_OPERATION
            .observation(null, CONVENTION, () -> context, registry)
            .observe(() -> {
              EmbeddingResponse made = embedded(request.getInstructions());
              context.setResponse(made);
              return made;
            });
    return Objects.requireNonNull(response);
  }

  private EmbeddingResponse embedded(List<String> texts) {
    float[][] vectors;
    try {
      vectors = embedder.apply(texts);
    } catch (RuntimeException e) {
      throw Failures.of(e);
    }
    if (vectors.length != texts.size()) {
      throw new IllegalStateException(
          "embeddings: found %d, expected %d".formatted(vectors.length, texts.size()));
    }
    List<Embedding> all = new ArrayList<>();
    for (float[] vector : vectors) {
      all.add(new Embedding(vector, all.size()));
    }
    return new EmbeddingResponse(all, new EmbeddingResponseMetadata(name, new EmptyUsage()));
  }

  @Override
  public float[] embed(Document document) {
    String text = getEmbeddingContent(document);
    return embed(text == null ? "" : text);
  }

  @Override
  public int dimensions() {
    return dimensions;
  }
}
