package dev.gatun.langchain4j;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// LangChain4j's parameters, and those that Gatun has beside them.
///
/// Where neither the temperature nor anything that narrows the choice is given, the likeliest token
/// is taken; without a seed, each request draws another. Without [#maxOutputTokens] a text ends
/// where the model ends it, or with the model's positions.
public final class GatunChatRequestParameters extends DefaultChatRequestParameters {
  private final @Nullable Long seed;
  private final @Nullable Double minP;
  private final @Nullable Double repetitionPenalty;

  private GatunChatRequestParameters(Builder builder) {
    super(builder);
    this.seed = builder.seed;
    this.minP = builder.minP;
    this.repetitionPenalty = builder.repetitionPenalty;
  }

  /// {@return a builder with nothing set}
  public static Builder builder() {
    return new Builder();
  }

  /// {@return these parameters with everything that Gatun has beside LangChain4j's}
  ///
  /// @param parameters any
  public static GatunChatRequestParameters of(ChatRequestParameters parameters) {
    return parameters instanceof GatunChatRequestParameters own
        ? own
        : builder().overrideWith(parameters).build();
  }

  /// {@return the seed of the draws, or null for another in each request}
  public @Nullable Long seed() {
    return seed;
  }

  /// {@return share of the likeliest token's probability below which a token is not chosen, or
  /// null}
  public @Nullable Double minP() {
    return minP;
  }

  /// {@return what the logits of ids seen before are divided by, or null}
  public @Nullable Double repetitionPenalty() {
    return repetitionPenalty;
  }

  @Override
  public GatunChatRequestParameters overrideWith(ChatRequestParameters that) {
    return builder().overrideWith(this).overrideWith(that).build();
  }

  @Override
  public GatunChatRequestParameters defaultedBy(ChatRequestParameters that) {
    return builder().overrideWith(that).overrideWith(this).build();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other)
        && other instanceof GatunChatRequestParameters that
        && Objects.equals(seed, that.seed)
        && Objects.equals(minP, that.minP)
        && Objects.equals(repetitionPenalty, that.repetitionPenalty);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), seed, minP, repetitionPenalty);
  }

  @Override
  public String toString() {
    return "%s, seed=%s, minP=%s, repetitionPenalty=%s"
        .formatted(super.toString(), seed, minP, repetitionPenalty);
  }

  /// Builds parameters; what is not set is left to the defaults.
  public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
    private @Nullable Long seed;
    private @Nullable Double minP;
    private @Nullable Double repetitionPenalty;

    private Builder() {}

    @Override
    @CanIgnoreReturnValue
    public Builder overrideWith(ChatRequestParameters parameters) {
      super.overrideWith(parameters);
      if (parameters instanceof GatunChatRequestParameters own) {
        seed = own.seed == null ? seed : own.seed;
        minP = own.minP == null ? minP : own.minP;
        repetitionPenalty =
            own.repetitionPenalty == null ? repetitionPenalty : own.repetitionPenalty;
      }
      return this;
    }

    /// Sets the seed of the draws.
    ///
    /// @param value any number
    /// @return this
    @CanIgnoreReturnValue
    public Builder seed(@Nullable Long value) {
      seed = value;
      return this;
    }

    /// Sets the share of the likeliest token's probability below which a token is not chosen.
    ///
    /// @param value 0 to 1
    /// @return this
    @CanIgnoreReturnValue
    public Builder minP(@Nullable Double value) {
      minP = value;
      return this;
    }

    /// Sets what the logits of ids seen before are divided by.
    ///
    /// @param value above 0; 1 for no penalty
    /// @return this
    @CanIgnoreReturnValue
    public Builder repetitionPenalty(@Nullable Double value) {
      repetitionPenalty = value;
      return this;
    }

    @Override
    public GatunChatRequestParameters build() {
      return new GatunChatRequestParameters(this);
    }
  }
}
