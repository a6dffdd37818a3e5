package dev.gatun.springai;

import dev.gatun.models.engine.EngineOptions;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.op.WeightForm;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/// The properties under `spring.ai.gatun`. A value outside of its range stops the application with
/// a line that names it.
///
/// @param directory a Hugging Face model directory of a decoder, with a tokenizer.json; without it
///   no model is opened
/// @param device where to compute: cpu, cuda or cuda:1
/// @param dtype what to compute in: f32 or bf16
/// @param adapters PEFT adapter directories by the names that requests find them by
/// @param engine limits of the engine
/// @param chat what prompts ask for unless they say otherwise
@ConfigurationProperties("spring.ai.gatun")
public record GatunProperties(
    @Nullable Path directory,
    @DefaultValue("cpu") String device,
    @DefaultValue("f32") String dtype,
    @DefaultValue Map<String, Path> adapters,
    @DefaultValue Engine engine,
    @DefaultValue Chat chat) {
  /// Checks the names.
  public GatunProperties {
    adapters = Map.copyOf(adapters);
    if (!List.of("f32", "bf16").contains(dtype.toLowerCase(Locale.ROOT))) {
      throw new IllegalArgumentException("dtype: found " + dtype + ", expected f32 or bf16");
    }
    Device.of(device); // throws if there is no such name
  }

  Device computeDevice() {
    return Device.of(device);
  }

  DType computeType() {
    return DType.valueOf(dtype.toUpperCase(Locale.ROOT));
  }

  /// Limits of the engine.
  ///
  /// @param cacheSize keys and values of all texts together
  /// @param maxSequences texts that run side by side at most
  /// @param stepTokens tokens of one forward pass at most
  /// @param queue requests that wait at most; more are refused
  /// @param adapterSize adapters in memory; beyond, those not in use for the longest time are read
  ///   again when they are next used
  /// @param threads threads of libtorch; 0 for as many as there are processors
  /// @param sharePrefixes whether keys and values of prompts are kept for prompts that begin alike
  /// @param weights packed, stored or int8: see [WeightForm]
  public record Engine(
      @DefaultValue("1GB") DataSize cacheSize,
      @DefaultValue("32") int maxSequences,
      @DefaultValue("256") int stepTokens,
      @DefaultValue("1024") int queue,
      @DefaultValue("1GB") DataSize adapterSize,
      @DefaultValue("0") int threads,
      @DefaultValue("true") boolean sharePrefixes,
      @DefaultValue("packed") WeightForm weights) {
    /// Checks the ranges.
    public Engine {
      options(
          cacheSize, maxSequences, stepTokens, queue, adapterSize, threads, sharePrefixes, weights);
    }

    EngineOptions options() {
      return options(
          cacheSize, maxSequences, stepTokens, queue, adapterSize, threads, sharePrefixes, weights);
    }

    private static EngineOptions options(
        DataSize cache,
        int sequences,
        int tokens,
        int queue,
        DataSize adapters,
        int threads,
        boolean share,
        WeightForm weights) {
      return new EngineOptions(
          cache.toBytes(), sequences, tokens, queue, adapters.toBytes(), threads, share, weights);
    }
  }

  /// What prompts ask for unless they say otherwise.
  ///
  /// @param model the adapter that texts go through: a name of spring.ai.gatun.adapters, or none
  /// @param maxTokens tokens of an answer at most
  /// @param temperature divisor of the logits; 0 takes the likeliest token
  /// @param topK tokens to choose from at most; 0 for all
  /// @param topP share of the probability to choose from
  /// @param minP share of the likeliest token's probability below which a token is not chosen
  /// @param frequencyPenalty what a token's logit loses for each time that it was made before
  /// @param presencePenalty what a token's logit loses if it was made before
  /// @param repetitionPenalty what the logits of tokens seen before are divided by
  /// @param stopSequences texts that end an answer; they are not part of it
  /// @param seed seed of the draws; another in each request if not given
  public record Chat(
      @Nullable String model,
      @Nullable Integer maxTokens,
      @Nullable Double temperature,
      @Nullable Integer topK,
      @Nullable Double topP,
      @Nullable Double minP,
      @Nullable Double frequencyPenalty,
      @Nullable Double presencePenalty,
      @Nullable Double repetitionPenalty,
      @Nullable List<String> stopSequences,
      @Nullable Long seed) {
    /// Checks the ranges.
    public Chat {
      Requests.sampling(
          GatunChatOptions.builder()
              .maxTokens(maxTokens)
              .temperature(temperature)
              .topK(topK)
              .topP(topP)
              .minP(minP)
              .frequencyPenalty(frequencyPenalty)
              .presencePenalty(presencePenalty)
              .repetitionPenalty(repetitionPenalty)
              .build());
    }

    GatunChatOptions options() {
      return GatunChatOptions.builder()
          .model(model)
          .maxTokens(maxTokens)
          .temperature(temperature)
          .topK(topK)
          .topP(topP)
          .minP(minP)
          .frequencyPenalty(frequencyPenalty)
          .presencePenalty(presencePenalty)
          .repetitionPenalty(repetitionPenalty)
          .stopSequences(stopSequences)
          .seed(seed)
          .build();
    }
  }
}
