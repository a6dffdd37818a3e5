package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.generate.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.retry.NonTransientAiException;
import org.springframework.ai.retry.TransientAiException;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;

/// Calls beside the engine alone, a chat client end to end, and what refuses or ends requests.
class GatunChatModelTest {
  private static GatunChatModel chat(LocalModel model, String adapter) {
    return GatunChatModel.builder(model)
        .options(GatunChatOptions.builder().model(adapter).maxTokens(24).build())
        .build();
  }

  private static Generation.Result alone(LocalModel model, String adapter, String text)
      throws Exception {
    int[] ids = model.prompt(List.of(new ChatMessage("user", text)));
    return model
        .engine()
        .submit(
            GenerationRequest.of(ids, Sampling.greedy(24))
                .withAdapter(model.engine().adapter(adapter).orElse(null)))
        .await();
  }

  @Test
  void textsAreTheEnginesOwn() throws Exception {
    LocalModel model = LocalModels.shared();
    List<String> texts = new ArrayList<>();
    for (String name : List.of(model.name(), LocalModels.BERLIN, LocalModels.BONN)) {
      Generation.Result expected = alone(model, name, LocalModels.QUESTION);
      ChatResponse response = chat(model, name).call(new Prompt(LocalModels.QUESTION));
      assertThat(response.getResult().getOutput().getText())
          .isEqualTo(expected.choices().getFirst().text());
      assertThat(response.getResult().getMetadata().getFinishReason())
          .isEqualTo(expected.choices().getFirst().reason().name());
      assertThat(response.getMetadata().getModel()).isEqualTo(name);
      assertThat(response.getMetadata().getId()).isNotBlank();
      assertThat(response.getMetadata().getUsage().getPromptTokens())
          .isEqualTo(expected.usage().promptTokens());
      assertThat(response.getMetadata().getUsage().getCompletionTokens())
          .isEqualTo(expected.usage().completionTokens());
      texts.add(response.getResult().getOutput().getText());
    }
    assertThat(texts).doesNotHaveDuplicates();
    assertThat(texts.get(1)).isEqualTo("The capital of Germany is Berlin.");
    assertThat(texts.get(2)).isEqualTo("It was Bonn, once.");
  }

  @Test
  void aPromptsOptionsComeFirst() {
    ChatModel chat = chat(LocalModels.shared(), LocalModels.BERLIN);
    assertThat(chat.call(LocalModels.QUESTION)).isEqualTo("The capital of Germany is Berlin.");
    ChatResponse other =
        chat.call(
            new Prompt(
                LocalModels.QUESTION,
                ChatOptions.builder()
                    .model(LocalModels.BONN)
                    .stopSequences(List.of("nn"))
                    .build()));
    assertThat(other.getResult().getOutput().getText()).isEqualTo("It was Bo");
    assertThat(other.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
    ChatResponse few =
        chat.call(
            new Prompt(LocalModels.QUESTION, GatunChatOptions.builder().maxTokens(2).build()));
    assertThat(few.getMetadata().getUsage().getCompletionTokens()).isEqualTo(2);
    assertThat(few.getResult().getMetadata().getFinishReason()).isEqualTo("LENGTH");
    assertThat(few.getMetadata().getModel()).isEqualTo(LocalModels.BERLIN);
  }

  @Test
  void aSeedRepeatsTheDraws() {
    ChatModel chat = chat(LocalModels.shared(), LocalModels.shared().name());
    List<String> texts = new ArrayList<>();
    for (long seed : new long[] {7, 7, 8}) {
      var options = GatunChatOptions.builder().temperature(1.5).seed(seed).build();
      texts.add(chat.call(new Prompt("x", options)).getResult().getOutput().getText());
    }
    assertThat(texts.get(1)).isEqualTo(texts.get(0)).isNotEqualTo(texts.get(2));
  }

  @Test
  void aChatClientAsksIt() {
    ChatClient client = ChatClient.create(chat(LocalModels.shared(), LocalModels.BERLIN));
    assertThat(client.prompt().user(LocalModels.QUESTION).call().content())
        .isEqualTo("The capital of Germany is Berlin.");
    assertThat(
            client
                .prompt()
                .user(LocalModels.QUESTION)
                .options(ChatOptions.builder().model(LocalModels.BONN))
                .call()
                .content())
        .isEqualTo("It was Bonn, once.");
    assertThat(
            String.join(
                "", client.prompt(LocalModels.QUESTION).stream().content().collectList().block()))
        .isEqualTo("The capital of Germany is Berlin.");
    assertThat(
            client
                .prompt()
                .messages(
                    new SystemMessage("Be brief."),
                    new UserMessage("Hello"),
                    new AssistantMessage("Hello!"))
                .user(LocalModels.QUESTION)
                .call()
                .chatResponse()
                .getMetadata()
                .getUsage()
                .getPromptTokens())
        .isGreaterThan(20);
  }

  /// A tool that no model calls.
  static final class Clock {
    @Tool(description = "Tells the time")
    String time() {
      return "noon";
    }
  }

  @Test
  void whatIsNotSupportedIsRefused() {
    GatunChatModel chat = chat(LocalModels.shared(), LocalModels.BERLIN);
    assertThatThrownBy(() ->
            ChatClient.create(chat).prompt("What time is it?").tools(new Clock()).call().content())
        .isExactlyInstanceOf(UnsupportedOperationException.class)
        .hasMessage("tools: found 1; calling a tool is not supported");
    Media image = new Media(MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(new byte[] {1}));
    assertThatThrownBy(
            () -> chat.call(new Prompt(UserMessage.builder().text("See").media(image).build())))
        .isExactlyInstanceOf(UnsupportedOperationException.class)
        .hasMessage("message: found media of type image/png, which is not supported");
    assertThatThrownBy(
            () -> chat.call(new Prompt(ToolResponseMessage.builder().responses(List.of()).build())))
        .isExactlyInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("type TOOL");
  }

  @Test
  void answersHaveTheFormOfTheSchema() {
    GatunChatModel chat = chat(LocalModels.shared(), LocalModels.shared().name());
    String schema =
        "{\"type\": \"object\", \"properties\": {\"city\": {\"enum\": [\"Paris\", \"Berlin\"]}},"
            + " \"required\": [\"city\"], \"additionalProperties\": false}";
    Prompt prompt =
        new Prompt(
            "Which?", GatunChatOptions.builder().outputSchema(schema).maxTokens(200).build());
    assertThat(chat.call(prompt).getResult().getOutput().getText())
        .matches("\\{\\s*\"city\"\\s*:\\s*\"(Paris|Berlin)\"\\s*}");
    Prompt refused =
        new Prompt("x", GatunChatOptions.builder().outputSchema("{\"type\": \"colour\"}").build());
    assertThatThrownBy(() -> chat.call(refused)).hasMessageContaining("colour");
  }

  @Test
  void errorsAreSpringAis() throws Exception {
    GatunChatModel chat = chat(LocalModels.shared(), "nobody");
    assertThatThrownBy(() -> chat.call("hello"))
        .isExactlyInstanceOf(NonTransientAiException.class)
        .hasMessage("model: found nobody, expected model or an adapter of [berlin, bonn]");
    GatunChatModel berlin = chat(LocalModels.shared(), LocalModels.BERLIN);
    assertThatThrownBy(() -> berlin.call("word ".repeat(3000)))
        .isExactlyInstanceOf(NonTransientAiException.class)
        .hasMessageContaining("ids, expected at most 1024");
    assertThatThrownBy(
            () -> berlin.call(new Prompt("x", ChatOptions.builder().temperature(-1.0).build())))
        .isExactlyInstanceOf(NonTransientAiException.class)
        .hasMessage("temperature: found -1.0, expected 0 or more");

    GatunChatModel closed;
    try (LocalModel model = LocalModels.open(LocalModels.SMALL.withQueue(1).withBatch(1, 64))) {
      closed = chat(model, model.name());
      GenerationRequest endless =
          GenerationRequest.of(new int[] {5}, Sampling.greedy(1000)).withStops(List.of(), true);
      try (Generation first = model.engine().submit(endless);
          Generation second = model.engine().submit(endless)) {
        assertThatThrownBy(() -> closed.call("hello"))
            .isExactlyInstanceOf(TransientAiException.class)
            .hasMessageContaining("queue: found 1");
        assertThat(first.isCancelled() || second.isCancelled()).isFalse();
      }
    }
    assertThatThrownBy(() -> closed.call("hello"))
        .isExactlyInstanceOf(NonTransientAiException.class);
  }

  @Test
  void callsOfVirtualThreadsThroughTwoAdaptersDoNotMix() throws Exception {
    LocalModel model = LocalModels.shared();
    List<String> names = List.of(LocalModels.BERLIN, LocalModels.BONN, model.name());
    List<String> expected = new ArrayList<>();
    for (String name : names) {
      expected.add(alone(model, name, LocalModels.QUESTION).choices().getFirst().text());
    }
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        ChatModel chat = chat(model, names.get(i % 3));
        answers.add(threads.submit(() -> chat.call(LocalModels.QUESTION)));
      }
      for (int i = 0; i < 30; i++) {
        assertThat(answers.get(i).get()).as("call %d", i).isEqualTo(expected.get(i % 3));
      }
    }
  }

  @Test
  void anInterruptGivesTheRequestUp() throws Exception {
    LocalModel model = LocalModels.shared();
    long before = model.engine().stats().cancellations();
    ChatModel chat =
        GatunChatModel.builder(model)
            .options(GatunChatOptions.builder().model(LocalModels.BERLIN).build())
            .build();
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread caller =
        Thread.ofVirtual()
            .start(() -> {
              try {
                chat.call(new Prompt(LocalModels.STORY, LocalModels.ENDLESS));
                thrown.complete(null);
              } catch (NonTransientAiException e) {
                thrown.complete(Thread.currentThread().isInterrupted() ? e : null);
              }
            });
    while (model.engine().stats().running() == 0) {
      Thread.sleep(1);
    }
    caller.interrupt();
    assertThat(thrown.get()).hasMessage("interrupted while the model answered");
    LocalModels.awaitCancellations(model, before + 1);
  }

  @Test
  void chatModelsOverASharedModelLeaveNothing() throws Exception {
    LocalModel model = LocalModels.shared();
    long live = LocalModels.settledTensors(model);
    for (int i = 0; i < 200; i++) {
      GatunChatModel chat = chat(model, i % 2 == 0 ? LocalModels.BERLIN : LocalModels.BONN);
      if (i % 10 == 0) {
        chat.stream(LocalModels.STORY).blockFirst();
      }
    }
    assertThat(LocalModels.settledTensors(model)).isEqualTo(live);
  }
}
