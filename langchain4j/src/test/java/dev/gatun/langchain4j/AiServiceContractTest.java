package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.service.common.AbstractAiServiceIT;
import java.util.List;

/// LangChain4j's tests of AI services, without tools.
class AiServiceContractTest extends AbstractAiServiceIT {
  @Override
  protected List<ChatModel> models() {
    return List.of(
        GatunChatModel.builder()
            .model(LocalModels.shared())
            .modelName(LocalModels.CAPITALS)
            .build());
  }

  @Override
  protected boolean supportsTools() {
    return false;
  }
}
