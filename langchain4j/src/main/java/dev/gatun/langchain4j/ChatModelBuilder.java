package dev.gatun.langchain4j;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the builders of both chat models have in common.
///
/// Either [#model] names a model that many share and that its owner closes, or [#directory] one
/// that is opened for this chat model alone and closed with it. All else may be left out.
///
/// @param <B> the builder's own class
public abstract sealed class ChatModelBuilder<B extends ChatModelBuilder<B>>
    permits GatunChatModel.Builder, GatunStreamingChatModel.Builder {
  private @Nullable LocalModel model;
  private @Nullable Path directory;
  private Device device = Device.CPU;
  private DType compute = DType.F32;
  private EngineOptions engineOptions = EngineOptions.DEFAULT;
  private final Map<String, Path> adapters = new LinkedHashMap<>();
  private final GatunChatRequestParameters.Builder defaults = GatunChatRequestParameters.builder();
  private List<ChatModelListener> listeners = List.of();

  ChatModelBuilder() {}

  /// Takes a model that its owner closes, after the chat models over it.
  ///
  /// @param value the model
  /// @return this
  @CanIgnoreReturnValue
  public B model(LocalModel value) {
    model = value;
    return self();
  }

  /// Opens a model when the chat model is built; it is closed with the chat model.
  ///
  /// @param value a Hugging Face model directory of a decoder, with a `tokenizer.json`
  /// @return this
  @CanIgnoreReturnValue
  public B directory(Path value) {
    directory = value;
    return self();
  }

  /// Sets where the model of [#directory] computes; the processor if not given.
  ///
  /// @param value the device
  /// @return this
  @CanIgnoreReturnValue
  public B device(Device value) {
    device = value;
    return self();
  }

  /// Sets what the model of [#directory] computes in; f32 if not given.
  ///
  /// @param value f32 or bf16
  /// @return this
  @CanIgnoreReturnValue
  public B dtype(DType value) {
    compute = value;
    return self();
  }

  /// Sets the limits of the engine of [#directory].
  ///
  /// @param value the limits
  /// @return this
  @CanIgnoreReturnValue
  public B engineOptions(EngineOptions value) {
    engineOptions = value;
    return self();
  }

  /// Loads an adapter into the engine of [#directory]; its name can then be a [#modelName]. Those
  /// of a shared model are loaded by its owner.
  ///
  /// @param name the adapter's name
  /// @param path a PEFT adapter directory
  /// @return this
  @CanIgnoreReturnValue
  public B adapter(String name, Path path) {
    adapters.put(name, path);
    return self();
  }

  /// Sets the adapter that texts go through where a request names none.
  ///
  /// @param value an adapter's name or [LocalModel#name()], which is the default, for the model as
  ///   it is
  /// @return this
  @CanIgnoreReturnValue
  public B modelName(@Nullable String value) {
    defaults.modelName(value);
    return self();
  }

  /// Sets the divisor of the logits.
  ///
  /// @param value 0 or more; 0 takes the likeliest token
  /// @return this
  @CanIgnoreReturnValue
  public B temperature(@Nullable Double value) {
    defaults.temperature(value);
    return self();
  }

  /// Sets the share of the probability to choose from.
  ///
  /// @param value above 0, at most 1
  /// @return this
  @CanIgnoreReturnValue
  public B topP(@Nullable Double value) {
    defaults.topP(value);
    return self();
  }

  /// Sets how many tokens to choose from at most.
  ///
  /// @param value 0 or more; 0 for all
  /// @return this
  @CanIgnoreReturnValue
  public B topK(@Nullable Integer value) {
    defaults.topK(value);
    return self();
  }

  /// Sets what a token's logit loses for each time that it was made before.
  ///
  /// @param value -2 to 2
  /// @return this
  @CanIgnoreReturnValue
  public B frequencyPenalty(@Nullable Double value) {
    defaults.frequencyPenalty(value);
    return self();
  }

  /// Sets what a token's logit loses if it was made before.
  ///
  /// @param value -2 to 2
  /// @return this
  @CanIgnoreReturnValue
  public B presencePenalty(@Nullable Double value) {
    defaults.presencePenalty(value);
    return self();
  }

  /// Sets how many tokens a text has at most.
  ///
  /// @param value at least 1
  /// @return this
  @CanIgnoreReturnValue
  public B maxOutputTokens(@Nullable Integer value) {
    defaults.maxOutputTokens(value);
    return self();
  }

  /// Sets texts that end an answer; they are not part of it.
  ///
  /// @param value texts, none of them empty
  /// @return this
  @CanIgnoreReturnValue
  public B stopSequences(List<String> value) {
    defaults.stopSequences(value);
    return self();
  }

  /// Sets the form of the answers.
  ///
  /// @param value the form
  /// @return this
  @CanIgnoreReturnValue
  public B responseFormat(@Nullable ResponseFormat value) {
    defaults.responseFormat(value);
    return self();
  }

  /// Sets the seed of the draws.
  ///
  /// @param value any number, or null for another in each request
  /// @return this
  @CanIgnoreReturnValue
  public B seed(@Nullable Long value) {
    defaults.seed(value);
    return self();
  }

  /// Sets many parameters at once, in place of those that were set before.
  ///
  /// @param value what requests ask for unless they say otherwise
  /// @return this
  @CanIgnoreReturnValue
  public B defaultRequestParameters(ChatRequestParameters value) {
    defaults.overrideWith(value);
    return self();
  }

  /// Sets who is told of requests, answers and errors.
  ///
  /// @param value the listeners
  /// @return this
  @CanIgnoreReturnValue
  public B listeners(List<ChatModelListener> value) {
    listeners = List.copyOf(value);
    return self();
  }

  /// @throws IllegalArgumentException if not exactly one of model and directory is given, or
  ///   adapters for a shared model
  /// @throws UncheckedIOException if the directory or an adapter cannot be read
  Inference inference() {
    LocalModel shared = model;
    Path own = directory;
    if (own != null && shared == null) {
      return new Inference(opened(own), true, defaults.build(), listeners);
    }
    if (own != null || shared == null) {
      throw new IllegalArgumentException(
          "chat model: found %s, expected either a model or a directory"
              .formatted(own == null ? "neither" : "both"));
    }
    if (!adapters.isEmpty()) {
      throw new IllegalArgumentException(
          "adapters: found %s, expected none: the owner of a shared model loads them"
              .formatted(adapters.keySet()));
    }
    return new Inference(shared, false, defaults.build(), listeners);
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with the chat model
  private LocalModel opened(Path own) {
    try {
      LocalModel opened = LocalModel.open(own, device, compute, engineOptions);
      try {
        for (Map.Entry<String, Path> adapter : adapters.entrySet()) {
          opened.engine().load(adapter.getKey(), adapter.getValue());
        }
        return opened;
      } catch (IOException | RuntimeException e) {
        opened.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  abstract B self();
}
