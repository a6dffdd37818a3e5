package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import org.junit.jupiter.api.Disabled;

/// LangChain4j's tests of all chat models, with an adapter that was trained on their questions.
///
/// Left out by their own switches: tools and images, which are refused; the tests then check the
/// refusal.
class ChatModelContractTest extends AbstractChatModelIT {
  private static final String FORMS =
      "a model this small fills no form sensibly; GatunChatModelTest checks the forms";

  @Override
  protected List<ChatModel> models() {
    return List.of(model().build());
  }

  private static GatunChatModel.Builder model() {
    return GatunChatModel.builder().model(LocalModels.shared()).modelName(LocalModels.CAPITALS);
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return model().defaultRequestParameters(parameters).build();
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
  protected boolean supportsChatAsync() {
    return true;
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
  protected void should_respect_JSON_response_format(ChatModel model) {}

  @Override
  @Disabled(FORMS)
  protected void should_respect_JSON_response_format_with_schema(ChatModel model) {}

  @Override
  @Disabled(FORMS)
  protected void should_respect_JsonRawSchema_responseFormat(ChatModel model) {}
}
