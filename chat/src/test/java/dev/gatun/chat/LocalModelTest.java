package dev.gatun.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.generate.Sampling;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The demo model opened for conversations: its prompts, its forms, and opening it again and again.
class LocalModelTest {
  private static final Path DEMO = Path.of("../demo/model");
  private static final List<ChatMessage> QUESTION =
      List.of(new ChatMessage("user", "public class"));

  private static LocalModel open(Path directory) throws IOException {
    return LocalModel.open(
        directory, Device.CPU, DType.F32, EngineOptions.DEFAULT.withCacheBytes(16 << 20));
  }

  private static Generation.Choice answer(LocalModel model, GenerationRequest request)
      throws InterruptedException {
    return model.engine().submit(request).await().choices().getFirst();
  }

  @Test
  void conversationsAreAnsweredInTheModelsForm() throws Exception {
    try (LocalModel model = open(DEMO)) {
      assertThat(model.name()).isEqualTo("model");
      int[] prompt = model.prompt(QUESTION);
      assertThat(model.tokenizer().decode(prompt, true)).contains("public class");
      GenerationRequest request = GenerationRequest.of(prompt, Sampling.greedy(150));
      assertThat(answer(model, request).text()).isNotEmpty();
      for (TextForm form :
          List.of(
              new TextForm.Choice(List.of("yes", "no")),
              new TextForm.Regex("yes|no"),
              new TextForm.Gbnf("root ::= \"yes\" | \"no\""))) {
        Generation.Choice held = answer(model, request.withConstraint(model.constraint(form)));
        assertThat(held.text()).as("%s", form).isIn("yes", "no");
      }
      String schema = "{\"type\": \"array\", \"items\": {\"type\": \"boolean\"}, \"maxItems\": 2}";
      Generation.Choice list =
          answer(model, request.withConstraint(model.constraint(new TextForm.Schema(schema))));
      assertThat(list.text().replaceAll("\\s", "")).matches("\\[((true|false)(,(true|false))?)?]");
      assertThat(
              answer(model, request.withConstraint(model.constraint(new TextForm.AnyJson())))
                  .text())
          .startsWith("{");
      assertThatThrownBy(() -> model.constraint(new TextForm.Regex("(")))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void directoriesThatDoNotFitAreRefusedAndLeaveNothing(@TempDir Path folder) throws Exception {
    long live = NativeMemory.liveTensors();
    for (String name : List.of("config.json", "model.safetensors", "tokenizer_config.json")) {
      Files.copy(DEMO.resolve(name), folder.resolve(name));
    }
    assertThatThrownBy(() -> open(folder)).isInstanceOf(IOException.class);
    Files.copy(DEMO.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    Files.writeString(folder.resolve("model.safetensors"), "{}");
    assertThatThrownBy(() -> open(folder)).isInstanceOf(MalformedFileException.class);
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
  }

  @Test
  @Tag("slow")
  void twoHundredOpeningsLeaveNothing() throws Exception {
    long live = NativeMemory.liveTensors();
    long settled = 0;
    for (int i = 0; i < 200; i++) {
      try (LocalModel model = open(DEMO)) {
        answer(model, GenerationRequest.of(model.prompt(QUESTION), Sampling.greedy(4)));
      }
      assertThat(NativeMemory.liveTensors()).isEqualTo(live);
      if (i == 100) {
        settled = resident();
      }
    }
    assertThat(resident()).isLessThan(settled + (16L << 20));
  }

  /// Returns the resident bytes without Java's heap, which grows as it likes.
  private static long resident() throws IOException {
    System.gc();
    long heap = Runtime.getRuntime().totalMemory();
    return -heap
        + Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
            .findFirst()
            .orElseThrow();
  }
}
