package dev.gatun.springai;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationRequest;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/// A chat model that runs here, over a [LocalModel] that many may share and that its owner closes;
/// requests run side by side, each through its own adapter. Thread-safe; callers may be virtual
/// threads.
///
/// A prompt's options come before the model's own. Streams tell their pieces on a virtual thread of
/// their own; who cancels the subscription gives the request up, and the engine takes up other work
/// before its next token. The last piece of a stream has no text, but the reason why the answer
/// ended and what it took.
///
/// | what happened | exception |
/// |---|---|
/// | the queue is full, a pass failed | `TransientAiException`, which may be tried again |
/// | there is no such adapter, a prompt is too long | `NonTransientAiException` |
/// | an option is outside of its range | `NonTransientAiException` |
/// | the engine is closed, the thread was interrupted | `NonTransientAiException` |
/// | tools or media were asked for | [UnsupportedOperationException] |
public final class GatunChatModel implements ChatModel {
  private static final String PROVIDER = "gatun";
  private static final ChatModelObservationConvention CONVENTION =
      new DefaultChatModelObservationConvention();

  private final LocalModel model;
  private final GatunChatOptions options;
  private final ObservationRegistry registry;
  private final @Nullable ChatModelObservationConvention convention;

  private GatunChatModel(Builder builder) {
    this.model = builder.model;
    this.options =
        GatunChatOptions.builder()
            .model(model.name())
            .combineWith(builder.options.mutate())
            .build();
    this.registry = builder.registry;
    this.convention = builder.convention;
  }

  /// {@return a builder of a chat model}
  ///
  /// @param model what answers; its owner closes it after the chat model's last use
  public static Builder builder(LocalModel model) {
    return new Builder(model);
  }

  @Override
  public GatunChatOptions getOptions() {
    return options;
  }

  @Override
  public ChatResponse call(Prompt prompt) {
    Prompt merged = merged(prompt);
    ChatModelObservationContext context = context(merged, false);
    ChatResponse response =
        observation(context)
            .observe(() -> {
              ChatResponse answer = answer(merged);
              context.setResponse(answer);
              return answer;
            });
    return Objects.requireNonNull(response);
  }

  @Override
  public Flux<ChatResponse> stream(Prompt prompt) {
    Prompt merged = merged(prompt);
    return Flux.deferContextual(view -> {
      ChatModelObservationContext context = context(merged, true);
      Observation observation = observation(context);
      Observation parent = view.getOrDefault(ObservationThreadLocalAccessor.KEY, null);
      if (parent != null) {
        observation.parentObservation(parent);
      }
      observation.start();
      Flux<ChatResponse> pieces =
          Flux.<ChatResponse>create(
                  sink -> Thread.ofVirtual().name("gatun-answer").start(() -> tell(merged, sink)))
              .doOnError(observation::error)
              .doFinally(_ -> observation.stop())
              .contextWrite(it -> it.put(ObservationThreadLocalAccessor.KEY, observation));
      return new MessageAggregator().aggregate(pieces, context::setResponse);
    });
  }

  private Prompt merged(Prompt prompt) {
    ChatOptions own = prompt.getOptions();
    GatunChatOptions all =
        own == null ? options : options.mutate().combineWith(own.mutate()).build();
    return new Prompt(prompt.getInstructions(), all);
  }

  private static ChatModelObservationContext context(Prompt prompt, boolean streaming) {
    return ChatModelObservationContext.builder()
        .prompt(prompt)
        .provider(PROVIDER)
        .streaming(streaming)
        .build();
  }

  private Observation observation(ChatModelObservationContext context) {
    return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(
        convention, CONVENTION, () -> context, registry);
  }

  /// A request under way.
  private record Running(Generation generation, Answer answer) {}

  private Running begin(Prompt prompt) {
    GatunChatOptions asked = (GatunChatOptions) Objects.requireNonNull(prompt.getOptions());
    GenerationRequest request = Requests.request(model, prompt.getInstructions(), asked);
    AdapterHandle adapter = request.adapter();
    Generation generation = model.engine().submit(request);
    return new Running(
        generation, new Answer(generation, adapter == null ? model.name() : adapter.name()));
  }

  private ChatResponse answer(Prompt prompt) {
    try {
      Running running = begin(prompt);
      try (Generation _ = running.generation()) {
        StringBuilder text = new StringBuilder();
        Answer answer = running.answer();
        for (String piece = answer.next(); piece != null; piece = answer.next()) {
          text.append(piece);
        }
        return answer.end(text.toString());
      }
    } catch (InterruptedException e) {
      throw Failures.interrupted(e);
    } catch (RuntimeException e) {
      throw Failures.of(e);
    }
  }

  private void tell(Prompt prompt, FluxSink<ChatResponse> sink) {
    try {
      Running running = begin(prompt);
      // at once if the subscription has been cancelled; does nothing once the answer has ended
      sink.onDispose(running.generation()::cancel);
      Answer answer = running.answer();
      for (String piece = answer.next(); piece != null; piece = answer.next()) {
        sink.next(answer.piece(piece));
      }
      if (!sink.isCancelled()) {
        sink.next(answer.end(""));
        sink.complete();
      }
    } catch (InterruptedException e) {
      sink.error(Failures.interrupted(e));
    } catch (RuntimeException e) {
      sink.error(Failures.of(e));
    }
  }

  /// Builds a chat model.
  public static final class Builder {
    private final LocalModel model;
    private GatunChatOptions options = GatunChatOptions.builder().build();
    private ObservationRegistry registry = ObservationRegistry.NOOP;
    private @Nullable ChatModelObservationConvention convention;

    private Builder(LocalModel model) {
      this.model = model;
    }

    /// Sets what prompts ask for unless they say otherwise.
    ///
    /// @param value the options
    /// @return this
    public Builder options(GatunChatOptions value) {
      options = value;
      return this;
    }

    /// Sets who observes calls and streams; nobody if not given.
    ///
    /// @param value the registry
    /// @return this
    public Builder observationRegistry(ObservationRegistry value) {
      registry = value;
      return this;
    }

    /// Sets what observations are called and say.
    ///
    /// @param value the convention, or null for Spring AI's own
    /// @return this
    public Builder observationConvention(@Nullable ChatModelObservationConvention value) {
      convention = value;
      return this;
    }

    /// {@return the chat model}
    public GatunChatModel build() {
      return new GatunChatModel(this);
    }
  }
}
