package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.TokenCountBatchingStrategy;
import org.springframework.ai.retry.NonTransientAiException;

/// Vectors by all of Spring AI's ways, over a function in place of an encoder.
class GatunEmbeddingModelTest {
  private static final EmbeddingModel MODEL =
      new GatunEmbeddingModel(
          texts -> texts.stream().map(t -> new float[] {t.length(), 1}).toArray(float[][]::new),
          2,
          "lengths",
          ObservationRegistry.NOOP);

  @Test
  void allWaysGiveTheFunctionsVectors() {
    assertThat(MODEL.dimensions()).isEqualTo(2);
    assertThat(MODEL.embed("abc")).containsExactly(3, 1);
    assertThat(MODEL.embed(new Document("ab"))).containsExactly(2, 1);
    assertThat(MODEL.embed(List.of("a", "bcde")))
        .containsExactly(new float[] {1, 1}, new float[] {4, 1});
    assertThat(
            MODEL.embed(
                List.of(new Document("a"), new Document("bc")),
                null,
                new TokenCountBatchingStrategy()))
        .hasSize(2);
    EmbeddingResponse response = MODEL.embedForResponse(List.of("x", "yy"));
    assertThat(response.getMetadata().getModel()).isEqualTo("lengths");
    assertThat(response.getResults().get(1).getIndex()).isEqualTo(1);
  }

  @Test
  void refusals() {
    EmbeddingOptions other = EmbeddingOptions.builder().dimensions(3).build();
    assertThatThrownBy(() -> MODEL.call(new EmbeddingRequest(List.of("x"), other)))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessage("dimensions: found 3, expected 2: another number is not supported");
    EmbeddingModel failing =
        new GatunEmbeddingModel(
            _ -> {
              throw new IllegalStateException("closed");
            },
            2,
            "closed",
            ObservationRegistry.NOOP);
    assertThatThrownBy(() -> failing.embed("x")).isInstanceOf(NonTransientAiException.class);
    assertThatThrownBy(
            () -> new GatunEmbeddingModel(_ -> new float[0][], 0, "none", ObservationRegistry.NOOP))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dimensions: found 0, expected at least 1");
  }
}
