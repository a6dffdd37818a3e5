package dev.gatun.langchain4j;

import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import java.util.List;

/// LangChain4j's tests of who is told of what.
class ChatModelListenerContractTest extends AbstractChatModelListenerIT {
  private GatunChatModel.Builder model(ChatModelListener listener) {
    return GatunChatModel.builder()
        .model(LocalModels.shared())
        .temperature(temperature())
        .topP(topP())
        .maxOutputTokens(maxTokens())
        .listeners(List.of(listener));
  }

  @Override
  protected ChatModel createModel(ChatModelListener listener) {
    return model(listener).modelName(modelName()).build();
  }

  @Override
  protected String modelName() {
    return LocalModels.CAPITALS;
  }

  @Override
  protected ChatModel createFailingModel(ChatModelListener listener) {
    return model(listener).modelName("nobody").build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return ModelNotFoundException.class;
  }

  @Override
  protected boolean supportsTools() {
    return false;
  }
}
