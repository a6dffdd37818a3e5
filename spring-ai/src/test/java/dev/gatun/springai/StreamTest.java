package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.chat.LocalModel;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.retry.NonTransientAiException;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

/// Answers as streams: read to the end, given up on the way, failed, and read slowly.
class StreamTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private static GatunChatModel chat(LocalModel model, String adapter) {
    return GatunChatModel.builder(model)
        .options(GatunChatOptions.builder().model(adapter).build())
        .build();
  }

  private static String text(ChatResponse response) {
    return response.getResult().getOutput().getText();
  }

  @Test
  void piecesAreTheAnswerAndTheLastSaysWhatItTook() {
    GatunChatModel chat = chat(LocalModels.shared(), LocalModels.BERLIN);
    ChatResponse whole = chat.call(new Prompt(LocalModels.STORY));
    List<ChatResponse> pieces =
        chat.stream(new Prompt(LocalModels.STORY)).collectList().block(LIMIT);
    StringBuilder joined = new StringBuilder();
    pieces.forEach(piece -> joined.append(text(piece)));
    assertThat(joined).hasToString(text(whole)).startsWith("A fox").endsWith("the cat went home.");
    assertThat(pieces).hasSizeGreaterThan(50);
    assertThat(pieces)
        .extracting(piece -> piece.getMetadata().getId())
        .containsOnly(pieces.getFirst().getMetadata().getId());
    for (ChatResponse piece : pieces.subList(0, pieces.size() - 1)) {
      assertThat(text(piece)).isNotEmpty();
      assertThat(piece.getResult().getMetadata().getFinishReason()).isNull();
      assertThat(piece.getMetadata().getModel()).isEqualTo(LocalModels.BERLIN);
    }
    ChatResponse last = pieces.getLast();
    assertThat(text(last)).isEmpty();
    assertThat(last.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
    assertThat(last.getMetadata().getUsage().getTotalTokens())
        .isEqualTo(whole.getMetadata().getUsage().getTotalTokens());
  }

  @Test
  void cancellingTheSubscriptionGivesTheRequestUp() throws Exception {
    LocalModel model = LocalModels.shared();
    long before = model.engine().stats().cancellations();
    Prompt endless = new Prompt(LocalModels.STORY, LocalModels.ENDLESS);
    StepVerifier.create(chat(model, LocalModels.BERLIN).stream(endless))
        .expectNextCount(3)
        .thenCancel()
        .verify(LIMIT);
    LocalModels.awaitCancellations(model, before + 1);
    StepVerifier.create(chat(model, LocalModels.BERLIN).stream(endless).take(2))
        .expectNextCount(2)
        .verifyComplete();
    LocalModels.awaitCancellations(model, before + 2);
  }

  @Test
  void aSlowSubscriberIsToldWhatItAskedFor() {
    StepVerifier.create(
            chat(LocalModels.shared(), LocalModels.BERLIN).stream(new Prompt(LocalModels.QUESTION)),
            1)
        .expectNextCount(1)
        .expectNoEvent(Duration.ofMillis(200))
        .thenRequest(Long.MAX_VALUE)
        .thenConsumeWhile(_ -> true)
        .expectComplete()
        .verify(LIMIT);
  }

  @Test
  void piecesAreToldOnAVirtualThread() {
    Flux<Boolean> virtual =
        chat(LocalModels.shared(), LocalModels.BERLIN).stream(new Prompt(LocalModels.QUESTION))
            .map(_ -> Thread.currentThread().isVirtual());
    assertThat(virtual.distinct().collectList().block(LIMIT)).containsExactly(true);
  }

  @Test
  void refusalsAndFailuresAreSignals() throws Exception {
    StepVerifier.create(chat(LocalModels.shared(), "nobody").stream(new Prompt("hello")))
        .expectErrorSatisfies(error ->
            assertThat(error)
                .isExactlyInstanceOf(NonTransientAiException.class)
                .hasMessageContaining("found nobody"))
        .verify(LIMIT);
    LocalModel model = LocalModels.open(LocalModels.SMALL);
    try (model) {
      StepVerifier.create(
              chat(model, model.name()).stream(new Prompt("public class A", LocalModels.ENDLESS)))
          .expectNextCount(2)
          .then(model::close)
          .thenConsumeWhile(_ -> true)
          .expectErrorSatisfies(
              error -> assertThat(error).isExactlyInstanceOf(NonTransientAiException.class))
          .verify(LIMIT);
    }
  }
}
