package dev.gatun.langchain4j;

import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import java.util.List;

/// LangChain4j's tests of who is told of what while an answer grows.
class StreamingChatModelListenerContractTest extends AbstractStreamingChatModelListenerIT {
  private GatunStreamingChatModel.Builder model(ChatModelListener listener) {
    return GatunStreamingChatModel.builder()
        .model(LocalModels.shared())
        .temperature(temperature())
        .topP(topP())
        .maxOutputTokens(maxTokens())
        .listeners(List.of(listener));
  }

  @Override
  protected StreamingChatModel createModel(ChatModelListener listener) {
    return model(listener).modelName(modelName()).build();
  }

  @Override
  protected String modelName() {
    return LocalModels.CAPITALS;
  }

  @Override
  protected StreamingChatModel createFailingModel(ChatModelListener listener) {
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
