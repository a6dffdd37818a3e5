package dev.gatun.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import java.util.List;

/// LangChain4j's tests of all embedding models, over a function in place of an encoder.
///
/// Left out by their own switches: the kind of input, other dimensions and images, whose refusal is
/// checked in their place, and counts of tokens, which the function has none of.
class EmbeddingModelContractTest extends AbstractEmbeddingModelIT {
  private static float[][] embed(List<String> texts) {
    return texts.stream()
        .map(text -> new float[] {text.length(), text.hashCode(), 1})
        .toArray(float[][]::new);
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(
        GatunEmbeddingModel.builder().embedder(EmbeddingModelContractTest::embed, 3).build());
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return GatunEmbeddingModel.builder()
        .embedder(EmbeddingModelContractTest::embed, 3)
        .listeners(List.of(listener))
        .build();
  }

  @Override
  protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
    return GatunEmbeddingModel.builder()
        .embedder(
            _ -> {
              throw new IllegalStateException("closed");
            },
            3)
        .listeners(List.of(listener))
        .build();
  }

  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return false;
  }

  @Override
  protected boolean assertTokenUsage() {
    return false;
  }
}
