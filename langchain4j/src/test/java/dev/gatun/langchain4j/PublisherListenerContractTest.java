package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelPublisherListenerTest;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import java.util.List;

/// LangChain4j's tests of who is told of what a publisher publishes. The answers are the adapter's
/// own, long enough to be given up on the way.
class PublisherListenerContractTest extends AbstractStreamingChatModelPublisherListenerTest {
  @Override
  protected StreamingChatModel createModel(ChatModelListener listener, StreamScenario scenario) {
    return GatunStreamingChatModel.builder()
        .model(LocalModels.shared())
        .modelName(scenario.fail() ? "nobody" : LocalModels.CAPITALS)
        .listeners(List.of(listener))
        .build();
  }
}
