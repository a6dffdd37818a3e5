package dev.gatun.springai;

import dev.gatun.chat.LocalModel;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/// Opens a model where `spring.ai.gatun.directory` names one, and makes a chat model over it or
/// over the [LocalModel] that the application has; `spring.ai.model.chat` with another value than
/// `gatun` makes none.
@AutoConfiguration
@EnableConfigurationProperties(GatunProperties.class)
public class GatunAutoConfiguration {
  /// Makes the configuration; Spring does.
  public GatunAutoConfiguration() {}

  /// Opens the model and loads its adapters. The context closes it, after the beans that use it.
  ///
  /// @param properties where it is
  /// @return the model
  /// @throws IOException if the directory or an adapter cannot be read
  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnProperty("spring.ai.gatun.directory")
  @SuppressWarnings("MustBeClosedChecker") // the context closes it
  public LocalModel gatunLocalModel(GatunProperties properties) throws IOException {
    LocalModel model =
        LocalModel.open(
            Objects.requireNonNull(properties.directory()),
            properties.computeDevice(),
            properties.computeType(),
            properties.engine().options());
    try {
      for (Map.Entry<String, Path> adapter : properties.adapters().entrySet()) {
        model.engine().load(adapter.getKey(), adapter.getValue());
      }
      return model;
    } catch (IOException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /// Makes a chat model.
  ///
  /// @param model what answers
  /// @param properties what prompts ask for unless they say otherwise
  /// @param registry who observes, if there is one
  /// @param convention what observations say, if not as Spring AI has it
  /// @return the chat model
  @Bean
  @ConditionalOnBean(LocalModel.class)
  @ConditionalOnMissingBean
  @ConditionalOnProperty(
      name = SpringAIModelProperties.CHAT_MODEL,
      havingValue = "gatun",
      matchIfMissing = true)
  public GatunChatModel gatunChatModel(
      LocalModel model,
      GatunProperties properties,
      ObjectProvider<ObservationRegistry> registry,
      ObjectProvider<ChatModelObservationConvention> convention) {
    return GatunChatModel.builder(model)
        .options(properties.chat().options())
        .observationRegistry(registry.getIfUnique(() -> ObservationRegistry.NOOP))
        .observationConvention(convention.getIfAvailable())
        .build();
  }
}
