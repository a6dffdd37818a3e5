package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.common.StreamingMode;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import org.junit.jupiter.api.Disabled;

/// LangChain4j's tests of all streaming chat models, by handler and by publisher.
///
/// Left out by their own switches: tools and images, whose refusal is checked in their place, and
/// the cancellation, whose test waits half a minute for an answer that must not come:
/// [StreamingTest] has it.
class StreamingChatModelContractTest extends AbstractStreamingChatModelIT {
  private static final String FORMS =
      "a model this small fills no form sensibly; GatunChatModelTest checks the forms";

  @Override
  protected List<StreamingMode> streamingModes() {
    return List.of(StreamingMode.HANDLER, StreamingMode.PUBLISHER);
  }

  @Override
  protected List<StreamingChatModel> baseModels() {
    return List.of(model().build());
  }

  private static GatunStreamingChatModel.Builder model() {
    return GatunStreamingChatModel.builder()
        .model(LocalModels.shared())
        .modelName(LocalModels.CAPITALS);
  }

  @Override
  protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
    return model().defaultRequestParameters(parameters).build();
  }

  @Override
  public StreamingChatModel createModelWith(ChatModelListener listener) {
    return model().listeners(List.of(listener)).build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return GatunChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
  }

  @Override
  protected String customModelName() {
    return LocalModels.OTHER;
  }

  @Override
  protected boolean supportsStreamingCancellation() {
    return false;
  }

  @Override
  protected boolean supportsTools() {
    return false;
  }

  @Override
  protected boolean supportsToolChoiceRequired() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsBase64EncodedString() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }

  @Override
  @Disabled(FORMS)
  protected void should_respect_JSON_response_format(StreamingChatModel model) {}

  @Override
  @Disabled(FORMS)
  protected void should_respect_JSON_response_format_with_schema(StreamingChatModel model) {}

  @Override
  @Disabled(FORMS)
  protected void should_respect_JsonRawSchema_responseFormat(StreamingChatModel model) {}
}
