package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.service.common.AbstractStreamingAiServiceIT;
import java.util.List;

/// LangChain4j's tests of AI services whose answers grow. Those of tools are overridden: tools are
/// refused, which [StreamingChatModelContractTest] checks.
class StreamingAiServiceContractTest extends AbstractStreamingAiServiceIT {
  @Override
  protected List<StreamingChatModel> models() {
    return List.of(
        GatunStreamingChatModel.builder()
            .model(LocalModels.shared())
            .modelName(LocalModels.CAPITALS)
            .build());
  }

  @Override
  protected void should_execute_tool_without_arguments(StreamingChatModel model) {}

  @Override
  protected void should_keep_memory_consistent_when_streaming_using_immediate_tool(
      StreamingChatModel model) {}
}
