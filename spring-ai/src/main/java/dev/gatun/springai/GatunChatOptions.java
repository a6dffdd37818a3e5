package dev.gatun.springai;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;

/// Spring AI's options, and those that Gatun has beside them.
///
/// Where neither the temperature nor anything that narrows the choice is given, the likeliest token
/// is taken; without a seed, each request draws another. Without `maxTokens` a text ends where the
/// model ends it, or with the model's positions. `model` is an adapter's name, or the model's own.
///
/// An output schema holds the answer to its form. Tools can be set, as in all options that a chat
/// client works with; a request that has some is refused.
public final class GatunChatOptions extends DefaultToolCallingChatOptions
    implements StructuredOutputChatOptions {
  private final @Nullable Long seed;
  private final @Nullable Double minP;
  private final @Nullable Double repetitionPenalty;
  private final @Nullable String outputSchema;

  private GatunChatOptions(ToolCallingChatOptions common, Builder builder) {
    super(
        common.getToolCallbacks(),
        common.getToolContext(),
        common.getModel(),
        common.getFrequencyPenalty(),
        common.getMaxTokens(),
        common.getPresencePenalty(),
        common.getStopSequences(),
        common.getTemperature(),
        common.getTopK(),
        common.getTopP());
    this.seed = builder.seed;
    this.minP = builder.minP;
    this.repetitionPenalty = builder.repetitionPenalty;
    this.outputSchema = builder.outputSchema;
  }

  /// {@return a builder with nothing set}
  public static Builder builder() {
    return new Builder();
  }

  /// {@return the seed of the draws, or null for another in each request}
  public @Nullable Long getSeed() {
    return seed;
  }

  /// {@return share of the likeliest token's probability below which a token is not chosen, or
  /// null}
  public @Nullable Double getMinP() {
    return minP;
  }

  /// {@return what the logits of ids seen before are divided by, or null}
  public @Nullable Double getRepetitionPenalty() {
    return repetitionPenalty;
  }

  @Override
  public @Nullable String getOutputSchema() {
    return outputSchema;
  }

  @Override
  public Builder mutate() {
    return builder()
        .model(getModel())
        .frequencyPenalty(getFrequencyPenalty())
        .maxTokens(getMaxTokens())
        .presencePenalty(getPresencePenalty())
        .stopSequences(getStopSequences())
        .temperature(getTemperature())
        .topK(getTopK())
        .topP(getTopP())
        .toolCallbacks(getToolCallbacks())
        .toolContext(getToolContext())
        .seed(seed)
        .minP(minP)
        .repetitionPenalty(repetitionPenalty)
        .outputSchema(outputSchema);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other)
        && other instanceof GatunChatOptions that
        && Objects.equals(seed, that.seed)
        && Objects.equals(minP, that.minP)
        && Objects.equals(repetitionPenalty, that.repetitionPenalty)
        && Objects.equals(outputSchema, that.outputSchema);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), seed, minP, repetitionPenalty, outputSchema);
  }

  /// Builds options; what is not set is left to the defaults.
  public static final class Builder extends DefaultToolCallingChatOptions.Builder<Builder>
      implements StructuredOutputChatOptions.Builder<Builder> {
    private @Nullable Long seed;
    private @Nullable Double minP;
    private @Nullable Double repetitionPenalty;
    private @Nullable String outputSchema;

    private Builder() {}

    /// Sets the seed of the draws.
    ///
    /// @param value any number
    /// @return this
    public Builder seed(@Nullable Long value) {
      seed = value;
      return this;
    }

    /// Sets the share of the likeliest token's probability below which a token is not chosen.
    ///
    /// @param value 0 to 1
    /// @return this
    public Builder minP(@Nullable Double value) {
      minP = value;
      return this;
    }

    /// Sets what the logits of ids seen before are divided by.
    ///
    /// @param value above 0; 1 for no penalty
    /// @return this
    public Builder repetitionPenalty(@Nullable Double value) {
      repetitionPenalty = value;
      return this;
    }

    @Override
    public Builder outputSchema(@Nullable String value) {
      outputSchema = value;
      return this;
    }

    @Override
    public Builder combineWith(ChatOptions.Builder<?> other) {
      super.combineWith(other);
      if (other instanceof Builder that) {
        seed = that.seed == null ? seed : that.seed;
        minP = that.minP == null ? minP : that.minP;
        repetitionPenalty =
            that.repetitionPenalty == null ? repetitionPenalty : that.repetitionPenalty;
        outputSchema = that.outputSchema == null ? outputSchema : that.outputSchema;
      }
      return this;
    }

    @Override
    public GatunChatOptions build() {
      return new GatunChatOptions(super.build(), this);
    }
  }
}
