package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;

/// LangChain4j's tests of all chat models, with an adapter that was trained on their questions.
///
/// Left out by their own switches: tools, images and JSON, which are refused; the tests then check
/// the refusal.
class ChatModelContractTest extends AbstractChatModelIT {
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
  protected boolean supportsJsonResponseFormat() {
    return false;
  }

  @Override
  protected boolean supportsJsonResponseFormatWithSchema() {
    return false;
  }

  @Override
  protected boolean supportsJsonResponseFormatWithRawSchema() {
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
}
