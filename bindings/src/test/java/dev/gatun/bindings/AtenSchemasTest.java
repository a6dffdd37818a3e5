package dev.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The table of operator schemas holds what includes/aten.txt lists, each once and sorted.
class AtenSchemasTest {
  @Test
  void tableHoldsTheListedOperators() throws IOException {
    List<String> schemas = Files.readAllLines(GeneratedFiles.RESOURCES.resolve("aten-schemas.txt"));

    assertThat(schemas).isSorted().doesNotHaveDuplicates();
    assertThat(schemas)
        .allSatisfy(schema -> assertThat(schema).matches("[a-zA-Z0-9_.]+\\(.*\\) -> .+"));
    assertThat(schemas)
        .extracting(schema -> schema.substring(0, schema.indexOf('(')))
        .containsExactlyInAnyOrderElementsOf(
            GeneratedFiles.lines(GeneratedFiles.INCLUDES.resolve("aten.txt")));
  }
}
