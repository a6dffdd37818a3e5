package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.chat.LocalModel;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.catalog.ModelDescription;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiLanguageModel;
import dev.langchain4j.model.openai.OpenAiModelCatalog;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a client that others wrote makes of our answers: LangChain4j's own for OpenAI.
class OpenAiClientTest {
  private static final String KEY = "sekret";
  private static final String PROMPT = "public class";
  private static final int TOKENS = 24;

  @TempDir private static Path folder;
  private static LocalModel model;
  private static GatunServer server;

  @BeforeAll
  static void open() throws IOException {
    Served.makeAdapter(folder.resolve("one"), 1);
    model = LocalModel.open(Served.MODEL, Device.CPU, DType.F32, Served.ENGINE);
    ServerOptions options =
        new ServerOptions("127.0.0.1", 0, "demo", KEY, folder, null, ServerOptions.Limits.DEFAULT);
    server = GatunServer.open(model, options, Embedder.of(model));
  }

  @AfterAll
  static void close() {
    server.close();
    model.close();
  }

  private static String url() {
    return server.uri() + "/v1";
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder chat(String name) {
    return OpenAiChatModel.builder()
        .baseUrl(url())
        .apiKey(KEY)
        .modelName(name)
        .temperature(0.0)
        .maxTokens(TOKENS)
        .maxRetries(0);
  }

  private static ChatResponse answer(String name) {
    return chat(name).build().chat(UserMessage.from(PROMPT));
  }

  /// What came of a stream.
  private record Streamed(List<String> pieces, ChatResponse whole) {}

  private static final class Pieces implements StreamingChatResponseHandler {
    private final List<String> pieces = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Streamed> done = new CompletableFuture<>();

    @Override
    public void onPartialResponse(String piece) {
      pieces.add(piece);
    }

    @Override
    public void onCompleteResponse(ChatResponse response) {
      done.complete(new Streamed(pieces, response));
    }

    @Override
    public void onError(Throwable error) {
      done.completeExceptionally(error);
    }
  }

  private static Streamed stream(String name) throws Exception {
    Pieces pieces = new Pieces();
    OpenAiStreamingChatModel.builder()
        .baseUrl(url())
        .apiKey(KEY)
        .modelName(name)
        .temperature(0.0)
        .maxTokens(TOKENS)
        .build()
        .chat(ChatRequest.builder().messages(UserMessage.from(PROMPT)).build(), pieces);
    return pieces.done.get(30, TimeUnit.SECONDS);
  }

  @Test
  void anAnswerHasTextUsageAndReason() {
    ChatResponse answer = answer("demo");
    assertThat(answer.aiMessage().text()).isNotEmpty();
    assertThat(answer.metadata().id()).startsWith("chatcmpl-");
    assertThat(answer.metadata().modelName()).isEqualTo("demo");
    assertThat(answer.metadata().finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
    assertThat(answer.metadata().tokenUsage().inputTokenCount()).isPositive();
    assertThat(answer.metadata().tokenUsage().outputTokenCount()).isBetween(1, TOKENS);
  }

  @Test
  void aStreamSaysWhatTheAnswerSays() throws Exception {
    ChatResponse answer = answer("demo");
    Streamed streamed = stream("demo");
    assertThat(String.join("", streamed.pieces())).isEqualTo(answer.aiMessage().text());
    assertThat(streamed.pieces()).as("token by token").hasSizeGreaterThan(5);
    ChatResponse whole = streamed.whole();
    assertThat(whole.aiMessage().text()).isEqualTo(answer.aiMessage().text());
    assertThat(whole.metadata().finishReason()).isEqualTo(answer.metadata().finishReason());
    assertThat(whole.metadata().tokenUsage().inputTokenCount())
        .isEqualTo(answer.metadata().tokenUsage().inputTokenCount());
    assertThat(whole.metadata().tokenUsage().outputTokenCount())
        .isEqualTo(answer.metadata().tokenUsage().outputTokenCount());
  }

  @Test
  void anAdapterIsAModel() throws Exception {
    ChatResponse adapted = answer("one");
    assertThat(adapted.metadata().modelName()).isEqualTo("one");
    assertThat(adapted.aiMessage().text()).isNotEqualTo(answer("demo").aiMessage().text());
    assertThat(stream("one").whole().aiMessage().text()).isEqualTo(adapted.aiMessage().text());
    List<ModelDescription> models =
        OpenAiModelCatalog.builder().baseUrl(url()).apiKey(KEY).build().listModels();
    assertThat(models).extracting(ModelDescription::name).containsExactly("demo", "one");
  }

  @Test
  void aSchemaHoldsTheAnswer() {
    JsonSchema schema =
        JsonSchema.builder()
            .name("p")
            .rootElement(
                JsonObjectSchema.builder()
                    .addEnumProperty("kind", List.of("left", "right"))
                    .addBooleanProperty("ok")
                    .addProperty("none", JsonIntegerSchema.builder().build())
                    .required("kind", "ok")
                    .build())
            .build();
    ResponseFormat format =
        ResponseFormat.builder().type(ResponseFormatType.JSON).jsonSchema(schema).build();
    for (boolean strict : List.of(true, false)) {
      ChatResponse answer =
          chat("demo")
              .maxTokens(300)
              .responseFormat(format)
              .strictJsonSchema(strict)
              .build()
              .chat(UserMessage.from(PROMPT));
      assertThat(answer.metadata().finishReason()).isEqualTo(FinishReason.STOP);
      var made = Served.JSON.readTree(answer.aiMessage().text());
      assertThat(Set.of("left", "right")).contains(made.get("kind").stringValue());
      assertThat(made.get("ok").isBoolean()).isTrue();
    }
  }

  @Test
  void aTextGoesOn() {
    OpenAiLanguageModel language =
        OpenAiLanguageModel.builder()
            .baseUrl(url())
            .apiKey(KEY)
            .modelName("demo")
            .temperature(0.0)
            .maxRetries(0)
            .build();
    Response<String> made = language.generate(PROMPT + " ");
    assertThat(made.content()).isNotEmpty().isEqualTo(language.generate(PROMPT + " ").content());
    assertThat(made.finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
    assertThat(made.tokenUsage().outputTokenCount()).isBetween(1, 16);
  }

  @Test
  void embeddingsAreThoseOfTheModel() throws IOException {
    List<String> texts = List.of("int a", "import java.util.List;");
    float[][] expected =
        model.engine().embed(texts.stream().map(model.tokenizer()::encodeDocument).toList(), null);
    for (String encoding : List.of("float", "base64")) {
      OpenAiEmbeddingModel embeddings =
          OpenAiEmbeddingModel.builder()
              .baseUrl(url())
              .apiKey(KEY)
              .modelName("demo")
              .encodingFormat(encoding)
              .maxRetries(0)
              .build();
      Response<List<Embedding>> made =
          embeddings.embedAll(texts.stream().map(TextSegment::from).toList());
      assertThat(made.content()).as(encoding).hasSize(2);
      for (int i = 0; i < 2; i++) {
        assertThat(made.content().get(i).vector()).containsExactly(expected[i], within(1e-6f));
      }
      assertThat(made.tokenUsage().inputTokenCount()).isGreaterThan(2);
    }
  }

  @Test
  void errorsAreTheClientsOwnExceptions() {
    assertThatThrownBy(() -> answer("nobody"))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("model: found nobody");
    assertThatThrownBy(() -> stream("nobody"))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(ModelNotFoundException.class);
    assertThatThrownBy(() -> chat("demo").temperature(-1.0).build().chat(PROMPT))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("temperature: found -1.0");
    assertThatThrownBy(() -> chat("demo").build().chat("word ".repeat(3000)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("context_length_exceeded");
  }

  @Test
  void theKeyDecidesWhoIsAnswered() {
    assertThat(chat("demo").apiKey(KEY).build().chat(PROMPT)).isNotEmpty();
    assertThatThrownBy(() -> chat("demo").apiKey("wrong").build().chat(PROMPT))
        .isInstanceOf(AuthenticationException.class)
        .hasMessageContaining("invalid_api_key");
  }
}
