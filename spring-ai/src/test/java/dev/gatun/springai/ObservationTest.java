package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.retry.NonTransientAiException;

/// What observers are told of calls and streams.
class ObservationTest {
  private final List<ChatModelObservationContext> stopped = new CopyOnWriteArrayList<>();

  private GatunChatModel chat(String adapter) {
    ObservationRegistry registry = ObservationRegistry.create();
    registry
        .observationConfig()
        .observationHandler(
            new ObservationHandler<ChatModelObservationContext>() {
              @Override
              public void onStop(ChatModelObservationContext context) {
                stopped.add(context);
              }

              @Override
              public boolean supportsContext(Observation.Context context) {
                return context instanceof ChatModelObservationContext;
              }
            });
    return GatunChatModel.builder(LocalModels.shared())
        .options(GatunChatOptions.builder().model(adapter).build())
        .observationRegistry(registry)
        .build();
  }

  @Test
  void callsAndStreamsAreObserved() throws Exception {
    GatunChatModel chat = chat(LocalModels.BERLIN);
    chat.call(LocalModels.QUESTION);
    chat.stream(new Prompt(LocalModels.QUESTION)).blockLast();
    while (stopped.size() < 2) {
      Thread.sleep(5);
    }
    assertThat(stopped)
        .extracting(ChatModelObservationContext::isStreaming)
        .containsExactly(false, true);
    for (ChatModelObservationContext context : stopped) {
      assertThat(context.getName()).isEqualTo("gen_ai.client.operation");
      assertThat(context.getLowCardinalityKeyValue("gen_ai.request.model").getValue())
          .isEqualTo(LocalModels.BERLIN);
      assertThat(context.getLowCardinalityKeyValue("gen_ai.response.model").getValue())
          .isEqualTo(LocalModels.BERLIN);
      assertThat(context.getResponse().getResult().getOutput().getText()).contains("Berlin");
      assertThat(context.getResponse().getMetadata().getUsage().getCompletionTokens()).isPositive();
    }
  }

  @Test
  void errorsAreObserved() throws Exception {
    GatunChatModel chat = chat("nobody");
    assertThatThrownBy(() -> chat.call("hello")).isInstanceOf(NonTransientAiException.class);
    assertThatThrownBy(() -> chat.stream(new Prompt("hello")).blockLast())
        .isInstanceOf(NonTransientAiException.class);
    while (stopped.size() < 2) {
      Thread.sleep(5);
    }
    assertThat(stopped)
        .allSatisfy(
            context -> assertThat(context.getError()).isInstanceOf(NonTransientAiException.class));
  }
}
