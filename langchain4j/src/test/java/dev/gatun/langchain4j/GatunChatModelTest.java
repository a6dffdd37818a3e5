package dev.gatun.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.engine.EngineException;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.generate.Sampling;
import dev.gatun.runtime.NativeMemory;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/// Chat models beside the engine alone, and what refuses or ends their requests.
class GatunChatModelTest {
  private static final String STORY = "Tell me a long story about animals";

  private static GatunChatModel.Builder over(LocalModel model) {
    return GatunChatModel.builder().model(model).maxOutputTokens(24);
  }

  private static Generation.Choice alone(LocalModel model, String adapter) throws Exception {
    int[] ids = model.prompt(List.of(new ChatMessage("user", STORY)));
    return model
        .engine()
        .submit(
            GenerationRequest.of(ids, Sampling.greedy(24))
                .withAdapter(model.engine().adapter(adapter).orElse(null)))
        .await()
        .choices()
        .getFirst();
  }

  @Test
  void textsAreTheEnginesOwn() throws Exception {
    LocalModel model = LocalModels.shared();
    List<String> texts = new ArrayList<>();
    for (String name : List.of(model.name(), LocalModels.CAPITALS, LocalModels.OTHER)) {
      ChatModel chat = over(model).modelName(name).build();
      ChatResponse response = chat.chat(UserMessage.from(STORY));
      Generation.Choice expected = alone(model, name);
      boolean stopped = expected.reason() == dev.gatun.models.engine.FinishReason.STOP;
      assertThat(response.aiMessage().text()).isEqualTo(expected.text());
      assertThat(response.modelName()).isEqualTo(name);
      assertThat(response.finishReason())
          .isEqualTo(stopped ? FinishReason.STOP : FinishReason.LENGTH);
      assertThat(response.tokenUsage().outputTokenCount())
          .isEqualTo(expected.tokens().size() + (stopped ? 1 : 0));
      assertThat(response.tokenUsage().inputTokenCount())
          .isEqualTo(model.prompt(List.of(new ChatMessage("user", STORY))).length);
      texts.add(response.aiMessage().text());
    }
    assertThat(texts).doesNotHaveDuplicates();
  }

  @Test
  void answersHaveTheFormThatWasAskedFor() {
    ChatModel chat = over(LocalModels.shared()).maxOutputTokens(200).build();
    JsonSchema schema =
        JsonSchema.builder()
            .name("city")
            .rootElement(
                JsonObjectSchema.builder()
                    .addEnumProperty("name", List.of("Paris", "Berlin"))
                    .addBooleanProperty("capital")
                    .required("name", "capital")
                    .build())
            .build();
    ResponseFormat format =
        ResponseFormat.builder().type(ResponseFormatType.JSON).jsonSchema(schema).build();
    assertThat(chat.supportedCapabilities()).contains(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    ChatRequest request =
        ChatRequest.builder()
            .messages(UserMessage.from("What is the capital of Germany?"))
            .responseFormat(format)
            .build();
    assertThat(chat.chat(request).aiMessage().text())
        .matches(
            "\\{\\s*\"name\"\\s*:\\s*\"(Paris|Berlin)\"\\s*,\\s*\"capital\"\\s*:\\s*(true|false)\\s*}");
    ChatRequest anyJson =
        request.toBuilder()
            .responseFormat(ResponseFormat.builder().type(ResponseFormatType.JSON).build())
            .build();
    assertThat(chat.chat(anyJson).aiMessage().text()).startsWith("{");
    ResponseFormat refused =
        ResponseFormat.builder()
            .type(ResponseFormatType.JSON)
            .jsonSchema(
                JsonSchema.builder()
                    .name("raw")
                    .rootElement(JsonRawSchema.from("{\"type\": \"colour\"}"))
                    .build())
            .build();
    assertThatThrownBy(() -> chat.chat(request.toBuilder().responseFormat(refused).build()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("colour");
  }

  @Test
  void callsOfVirtualThreadsThroughTwoAdaptersDoNotMix() throws Exception {
    LocalModel model = LocalModels.shared();
    List<String> names = List.of(LocalModels.CAPITALS, LocalModels.OTHER, model.name());
    List<String> expected = new ArrayList<>();
    List<ChatModel> chats = new ArrayList<>();
    for (String name : names) {
      expected.add(alone(model, name).text());
      chats.add(over(model).modelName(name).build());
    }
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        ChatModel chat = chats.get(i % 3);
        answers.add(threads.submit(() -> chat.chat(STORY)));
      }
      for (int i = 0; i < 30; i++) {
        assertThat(answers.get(i).get()).as("call %d", i).isEqualTo(expected.get(i % 3));
      }
    }
  }

  @Test
  void aRequestsParametersComeFirst() {
    ChatModel chat = over(LocalModels.shared()).modelName(LocalModels.CAPITALS).build();
    ChatResponse response =
        chat.chat(
            ChatRequest.builder()
                .messages(UserMessage.from(STORY))
                .modelName(LocalModels.OTHER)
                .maxOutputTokens(3)
                .build());
    assertThat(response.modelName()).isEqualTo(LocalModels.OTHER);
    assertThat(response.tokenUsage().outputTokenCount()).isEqualTo(3);
  }

  @Test
  void aSeedRepeatsTheDraws() {
    GatunChatModel.Builder builder = over(LocalModels.shared()).temperature(1.5);
    String once = builder.seed(7L).build().chat("x");
    assertThat(builder.seed(7L).build().chat("x")).isEqualTo(once);
    assertThat(builder.seed(8L).build().chat("x")).isNotEqualTo(once);
    ChatModel unseeded = builder.seed(null).build();
    assertThat(unseeded.chat("x")).isNotEqualTo(unseeded.chat("x"));
  }

  @Test
  void parametersOfGatunComeThroughLangChain4jsOwn() {
    GatunChatRequestParameters defaults =
        GatunChatRequestParameters.builder().seed(1L).minP(0.1).temperature(0.5).build();
    ChatRequestParameters request = ChatRequestParameters.builder().temperature(0.7).build();
    GatunChatRequestParameters merged = defaults.overrideWith(request);
    assertThat(merged.seed()).isEqualTo(1);
    assertThat(merged.minP()).isEqualTo(0.1);
    assertThat(merged.temperature()).isEqualTo(0.7);
    assertThat(request.overrideWith(defaults))
        .isEqualTo(
            GatunChatRequestParameters.builder().seed(1L).minP(0.1).temperature(0.5).build());
    assertThat(merged.overrideWith(GatunChatRequestParameters.builder().seed(2L).build()).seed())
        .isEqualTo(2);
  }

  @Test
  void refusals() {
    ChatModel chat = over(LocalModels.shared()).build();
    assertThatThrownBy(() -> chat.chat(request(b -> b.modelName("nobody"))))
        .isExactlyInstanceOf(ModelNotFoundException.class)
        .hasMessage("model: found nobody, expected model or an adapter of [capitals, other]");
    assertThatThrownBy(() -> chat.chat("word ".repeat(3000)))
        .isExactlyInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("ids, expected at most 1024");
    assertThatThrownBy(() -> chat.chat(request(b -> b.temperature(-1.0))))
        .isExactlyInstanceOf(InvalidRequestException.class)
        .hasMessage("temperature: found -1.0, expected 0 or more");
    assertThatThrownBy(() -> GatunChatModel.builder().build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("chat model: found neither, expected either a model or a directory");
    assertThatThrownBy(() -> over(LocalModels.shared()).adapter("a", Path.of("nowhere")).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("adapters: found [a], expected none");
  }

  private static ChatRequest request(
      java.util.function.UnaryOperator<ChatRequest.Builder> parameters) {
    return parameters
        .apply(ChatRequest.builder().messages(UserMessage.from("What is the capital of Germany?")))
        .build();
  }

  @Test
  void aFullQueueMayBeTriedAgain() throws Exception {
    try (LocalModel model = LocalModels.open(LocalModels.SMALL.withQueue(1).withBatch(1, 64))) {
      GenerationRequest endless =
          GenerationRequest.of(new int[] {5}, Sampling.greedy(1000)).withStops(List.of(), true);
      try (Generation _ = model.engine().submit(endless);
          Generation _ = model.engine().submit(endless)) {
        assertThatThrownBy(() -> over(model).build().chat("hello"))
            .isExactlyInstanceOf(RateLimitException.class)
            .hasMessageContaining("queue: found 1")
            .hasCauseInstanceOf(EngineException.class);
      }
    }
  }

  @Test
  void anInterruptGivesTheRequestUp() throws Exception {
    LocalModel model = LocalModels.shared();
    long before = model.engine().stats().cancellations();
    ChatModel chat = GatunChatModel.builder().model(model).modelName(LocalModels.CAPITALS).build();
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread caller =
        Thread.ofVirtual()
            .start(() -> {
              try {
                chat.chat(LocalModels.ENDLESS);
                thrown.complete(null);
              } catch (LangChain4jException e) {
                thrown.complete(Thread.currentThread().isInterrupted() ? e : null);
              }
            });
    while (model.engine().stats().running() == 0) {
      Thread.sleep(1);
    }
    caller.interrupt();
    assertThat(thrown.get()).isExactlyInstanceOf(NonRetriableException.class);
    LocalModels.awaitCancellations(model, before + 1);
  }

  @Test
  void cancellingTheFutureGivesTheRequestUp() throws Exception {
    LocalModel model = LocalModels.shared();
    long before = model.engine().stats().cancellations();
    CompletableFuture<ChatResponse> future =
        GatunChatModel.builder()
            .model(model)
            .modelName(LocalModels.CAPITALS)
            .build()
            .chatAsync(LocalModels.ENDLESS);
    future.cancel(true);
    LocalModels.awaitCancellations(model, before + 1);
  }

  @Test
  void aModelOfItsOwnIsClosedAndASharedOneIsNot() throws Exception {
    Path adapter = LocalModels.adapter(LocalModels.CAPITALS);
    ChatModel closed;
    long live = LocalModels.settledTensors(LocalModels.shared());
    try (GatunChatModel own =
        GatunChatModel.builder()
            .directory(LocalModels.DEMO)
            .adapter("mine", adapter)
            .modelName("mine")
            .build()) {
      closed = own;
      assertThat(own.chat("What is the capital of Germany?")).contains("Berlin");
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
    assertThatThrownBy(() -> closed.chat("hello")).isInstanceOf(NonRetriableException.class);

    LocalModel shared = LocalModels.shared();
    live = LocalModels.settledTensors(shared);
    for (int i = 0; i < 200; i++) {
      try (GatunChatModel chat = over(shared).modelName(LocalModels.CAPITALS).build()) {
        assertThat(chat.defaultRequestParameters().modelName()).isEqualTo(LocalModels.CAPITALS);
        if (i % 20 == 0) {
          assertThat(chat.chat("What is the capital of Germany?")).contains("Berlin");
        }
      }
    }
    assertThat(LocalModels.settledTensors(shared)).isEqualTo(live);
  }

  @Test
  void closingTheModelEndsItsRequests() throws Exception {
    CompletableFuture<ChatResponse> answer;
    try (LocalModel model = LocalModels.open(LocalModels.SMALL)) {
      answer =
          GatunChatModel.builder().model(model).build().chatAsync(UserMessage.from("class A {"));
    }
    assertThatThrownBy(answer::get).hasRootCauseInstanceOf(NonRetriableException.class);
  }
}
