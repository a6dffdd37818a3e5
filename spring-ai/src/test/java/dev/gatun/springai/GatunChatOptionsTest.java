package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.test.options.AbstractChatOptionsTests;

/// Spring AI's tests of all options, and Gatun's own among them.
class GatunChatOptionsTest
    extends AbstractChatOptionsTests<GatunChatOptions, GatunChatOptions.Builder> {
  @Override
  protected Class<GatunChatOptions> getConcreteOptionsClass() {
    return GatunChatOptions.class;
  }

  @Override
  protected GatunChatOptions.Builder readyToBuildBuilder() {
    return GatunChatOptions.builder()
        .model("poems")
        .maxTokens(5)
        .temperature(0.5)
        .topK(3)
        .topP(0.9)
        .frequencyPenalty(0.1)
        .presencePenalty(0.2)
        .stopSequences(List.of("end"))
        .seed(1L)
        .minP(0.1)
        .repetitionPenalty(1.1)
        .outputSchema("{}");
  }

  @Test
  void whatIsGivenComesFirstAndTheRestStays() {
    GatunChatOptions all =
        readyToBuildBuilder()
            .combineWith(GatunChatOptions.builder().seed(2L).temperature(0.7))
            .combineWith(ChatOptions.builder().maxTokens(6))
            .build();
    assertThat(all)
        .isEqualTo(readyToBuildBuilder().seed(2L).temperature(0.7).maxTokens(6).build())
        .hasSameHashCodeAs(readyToBuildBuilder().seed(2L).temperature(0.7).maxTokens(6).build())
        .isNotEqualTo(readyToBuildBuilder().build());
    assertThat(all.getMinP()).isEqualTo(0.1);
    assertThat(all.getRepetitionPenalty()).isEqualTo(1.1);
    assertThat(all.getOutputSchema()).isEqualTo("{}");
  }
}
