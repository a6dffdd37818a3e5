package dev.gatun.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.chat.LocalModel;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.ai.retry.NonTransientAiException;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.annotation.ImportCandidates;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/// What an application has by its properties alone, and what it leaves away.
class GatunAutoConfigurationTest {
  private static ApplicationContextRunner runner() {
    return new ApplicationContextRunner()
        .withConfiguration(
            AutoConfigurations.of(GatunAutoConfiguration.class, ChatClientAutoConfiguration.class));
  }

  private static ApplicationContextRunner withModel() {
    return runner()
        .withPropertyValues(
            "spring.ai.gatun.directory=" + LocalModels.DEMO,
            "spring.ai.gatun.adapters.berlin=" + LocalModels.adapter(LocalModels.BERLIN),
            "spring.ai.gatun.adapters.bonn=" + LocalModels.adapter(LocalModels.BONN),
            "spring.ai.gatun.engine.cache-size=64MB",
            "spring.ai.gatun.engine.threads=2",
            "spring.ai.gatun.chat.model=berlin",
            "spring.ai.gatun.chat.max-tokens=24",
            "spring.ai.gatun.chat.stop-sequences=xyz,zyx");
  }

  @Test
  void propertiesMakeAChatClientAndTheContextClosesTheModel() throws Exception {
    long live = LocalModels.settledTensors(LocalModels.shared());
    for (int i = 0; i < 3; i++) {
      GatunChatModel[] kept = new GatunChatModel[1];
      withModel()
          .run(context -> {
            kept[0] = context.getBean(GatunChatModel.class);
            assertThat(kept[0].getOptions().getStopSequences()).containsExactly("xyz", "zyx");
            ChatClient client = context.getBean(ChatClient.Builder.class).build();
            assertThat(client.prompt(LocalModels.QUESTION).call().content())
                .isEqualTo("The capital of Germany is Berlin.");
            assertThat(
                    client
                        .prompt(LocalModels.QUESTION)
                        .options(GatunChatOptions.builder().model("bonn"))
                        .call()
                        .content())
                .isEqualTo("It was Bonn, once.");
          });
      assertThatThrownBy(() -> kept[0].call("hello")).isInstanceOf(NonTransientAiException.class);
      assertThat(LocalModels.settledTensors(LocalModels.shared())).isEqualTo(live);
    }
  }

  @Test
  void withoutADirectoryThereIsNothing() {
    runner()
        .withPropertyValues("spring.ai.gatun.chat.temperature=0.5")
        .run(context ->
            assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(LocalModel.class)
                .doesNotHaveBean(ChatModel.class));
  }

  @Test
  void whatTheApplicationHasIsNotMadeAgain() {
    LocalModel shared = LocalModels.shared();
    runner()
        .withBean("mine", LocalModel.class, () -> shared, bean -> bean.setDestroyMethodName(""))
        .withPropertyValues("spring.ai.gatun.directory=nowhere", "spring.ai.gatun.chat.model=bonn")
        .run(context -> {
          assertThat(context.getBean(LocalModel.class)).isSameAs(shared);
          assertThat(context.getBean(ChatModel.class).call(LocalModels.QUESTION))
              .isEqualTo("It was Bonn, once.");
        });
    GatunChatModel own = GatunChatModel.builder(shared).build();
    runner()
        .withBean("mine", LocalModel.class, () -> shared, bean -> bean.setDestroyMethodName(""))
        .withBean(GatunChatModel.class, () -> own)
        .run(context -> assertThat(context.getBean(ChatModel.class)).isSameAs(own));
    assertThat(own.call(LocalModels.QUESTION)).isNotNull();
  }

  @Test
  void anotherChatModelMayBeChosen() {
    withModel()
        .withPropertyValues("spring.ai.model.chat=other")
        .run(context -> assertThat(context).doesNotHaveBean(ChatModel.class));
  }

  @Test
  void propertiesOutsideOfTheirRangesStopTheApplication() {
    String[][] cases = {
      {"spring.ai.gatun.dtype=f8", "dtype: found f8, expected f32 or bf16"},
      {"spring.ai.gatun.device=tpu", "device: found tpu, expected cpu, cuda or cuda:INDEX"},
      {"spring.ai.gatun.engine.queue=0", "queue: found 0, expected at least 1"},
      {"spring.ai.gatun.chat.top-p=2", "top_p: found 2.0, expected above 0, at most 1"},
    };
    for (String[] each : cases) {
      runner()
          .withPropertyValues(each[0])
          .run(
              context -> assertThat(context).getFailure().as(each[0]).hasRootCauseMessage(each[1]));
    }
    runner()
        .withPropertyValues("spring.ai.gatun.directory=nowhere")
        .run(context -> assertThat(context).getFailure().hasStackTraceContaining("nowhere"));
  }

  @Test
  void bootFindsItAndEditorsKnowItsProperties() throws Exception {
    assertThat(ImportCandidates.load(AutoConfiguration.class, null))
        .contains(GatunAutoConfiguration.class.getName());
    String path = "/META-INF/spring-configuration-metadata.json";
    try (InputStream in = GatunAutoConfiguration.class.getResourceAsStream(path)) {
      String metadata = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(metadata)
          .contains(
              "\"spring.ai.gatun.directory\"",
              "\"spring.ai.gatun.engine.cache-size\"",
              "\"spring.ai.gatun.chat.top-p\"",
              "cuda:1",
              "tokens of an answer at most");
    }
  }
}
