package dev.gatun.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.chat.LocalModel;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatModelStreamingEvent;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Answers that are told piece by piece, given up on the way, or told to somebody slow.
class StreamingTest {
  private static final String STORY = "Tell me a long story about animals";

  private static StreamingChatModel chat() {
    return GatunStreamingChatModel.builder()
        .model(LocalModels.shared())
        .modelName(LocalModels.CAPITALS)
        .build();
  }

  /// Keeps what it is told, and may give up.
  private static final class Kept implements StreamingChatResponseHandler {
    private final List<String> pieces = new CopyOnWriteArrayList<>();
    private final CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    private final CompletableFuture<StreamingHandle> handle = new CompletableFuture<>();
    private final int most;

    Kept(int most) {
      this.most = most;
    }

    @Override
    public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
      pieces.add(piece.text());
      handle.complete(context.streamingHandle());
      if (pieces.size() == most) {
        context.streamingHandle().cancel();
      }
    }

    @Override
    public void onCompleteResponse(ChatResponse response) {
      end.complete(response);
    }

    @Override
    public void onError(Throwable error) {
      end.completeExceptionally(error);
    }
  }

  @Test
  void aHandlerThatGivesUpIsToldNothingMore() throws Exception {
    LocalModel model = LocalModels.shared();
    long before = model.engine().stats().cancellations();
    Kept kept = new Kept(5);
    chat().chat(LocalModels.ENDLESS, kept);
    StreamingHandle handle = kept.handle.get(10, TimeUnit.SECONDS);
    LocalModels.awaitCancellations(model, before + 1);
    Thread.sleep(100);
    assertThat(kept.pieces).hasSize(5);
    assertThat(kept.end).isNotDone();
    assertThat(handle.isCancelled()).isTrue();
    handle.cancel();
    assertThat(handle.isCancelled()).isTrue();
  }

  @Test
  void aSlowHandlerHoldsNobodyUp() throws Exception {
    CompletableFuture<Void> gate = new CompletableFuture<>();
    StringBuilder slow = new StringBuilder();
    CompletableFuture<String> end = new CompletableFuture<>();
    chat()
        .chat(
            STORY,
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String piece) {
                gate.join();
                assertThat(Thread.currentThread().isVirtual()).isTrue();
                slow.append(piece);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                end.complete(response.aiMessage().text());
              }

              @Override
              public void onError(Throwable error) {
                end.completeExceptionally(error);
              }
            });
    Kept other = new Kept(Integer.MAX_VALUE);
    chat().chat("What is the capital of Germany?", other);
    assertThat(other.end.get(10, TimeUnit.SECONDS).aiMessage().text()).contains("Berlin");
    gate.complete(null);
    assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo(slow.toString()).startsWith("A fox");
  }

  @Test
  void closingTheModelIsAnError() throws Exception {
    Kept kept = new Kept(Integer.MAX_VALUE);
    try (LocalModel model = LocalModels.open(LocalModels.SMALL)) {
      GatunStreamingChatModel.builder().model(model).build().chat(LocalModels.ENDLESS, kept);
      kept.handle.get(10, TimeUnit.SECONDS);
    }
    assertThat(kept.end)
        .failsWithin(Duration.ofSeconds(10))
        .withThrowableThat()
        .withCauseInstanceOf(NonRetriableException.class);
  }

  @Test
  void aSubscriberIsToldWhatItAskedForAndMayCancel() throws Exception {
    LocalModel model = LocalModels.shared();
    long before = model.engine().stats().cancellations();
    List<ChatModelStreamingEvent> events = new CopyOnWriteArrayList<>();
    CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    chat().chat(request()).subscribe(subscriber(events, subscription, end));
    subscription.get().request(2);
    Thread.sleep(300);
    assertThat(events).hasSize(2);
    subscription.get().request(1);
    Thread.sleep(100);
    assertThat(events).hasSize(3);
    subscription.get().cancel();
    LocalModels.awaitCancellations(model, before);
    assertThat(end).isNotDone();
    assertThat(events).hasSize(3);
  }

  @Test
  void aSubscriberThatAsksForNothingIsRefusedAndAllIsToldToOneThatAsksForAll() throws Exception {
    List<ChatModelStreamingEvent> events = new CopyOnWriteArrayList<>();
    CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    chat().chat(request()).subscribe(subscriber(events, subscription, end));
    subscription.get().request(0);
    assertThat(end.get(10, TimeUnit.SECONDS)).isInstanceOf(IllegalArgumentException.class);
    assertThat(events).isEmpty();

    CompletableFuture<Flow.Subscription> second = new CompletableFuture<>();
    CompletableFuture<Throwable> complete = new CompletableFuture<>();
    chat().chat(request()).subscribe(subscriber(events, second, complete));
    second.get().request(Long.MAX_VALUE);
    second.get().request(Long.MAX_VALUE);
    assertThat(complete.get(10, TimeUnit.SECONDS)).isNull();
    StringBuilder text = new StringBuilder();
    for (ChatModelStreamingEvent event : events.subList(0, events.size() - 1)) {
      text.append(((PartialResponse) event).text());
    }
    ChatResponse response = ((CompleteResponse) events.getLast()).chatResponse();
    assertThat(response.aiMessage().text()).isEqualTo(text.toString()).startsWith("A fox");
  }

  private static ChatRequest request() {
    return ChatRequest.builder().messages(UserMessage.from(STORY)).build();
  }

  private static Flow.Subscriber<ChatModelStreamingEvent> subscriber(
      List<ChatModelStreamingEvent> events,
      CompletableFuture<Flow.Subscription> subscription,
      CompletableFuture<Throwable> end) {
    return new Flow.Subscriber<>() {
      @Override
      public void onSubscribe(Flow.Subscription value) {
        subscription.complete(value);
      }

      @Override
      public void onNext(ChatModelStreamingEvent event) {
        events.add(event);
      }

      @Override
      public void onError(Throwable error) {
        end.complete(error);
      }

      @Override
      public void onComplete() {
        end.complete(null);
      }
    };
  }
}
