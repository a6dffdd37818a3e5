package dev.gatun.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.langchain4j.example.Example;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The README's example, which is what runs here.
class ExampleTest {
  private static final Path SOURCE =
      Path.of("src/test/java/dev/gatun/langchain4j/example/Example.java");

  @Test
  void itRunsAndIsTheReadmes() throws Exception {
    String source = Files.readString(SOURCE);
    assertThat(Files.readString(Path.of("..", "README.md")))
        .contains(source.substring(source.indexOf("import ")));
    Path adapter = LocalModels.adapter(LocalModels.CAPITALS);
    PrintStream former = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Example.main(new String[] {LocalModels.DEMO.toString(), adapter.toString()});
    } finally {
      System.setOut(former);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8)).containsOnlyOnce("Berlin");
  }
}
