package dev.gatun.models.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.Parity;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RelativePositionsTest {
  @Test
  void rowsEqualThoseOfTransformers() throws IOException {
    JsonNode fixture =
        JsonMapper.builder()
            .build()
            .readTree(Files.readString(Parity.model("relative_positions.json")));
    assertThat(fixture.path("tables")).isNotEmpty();
    for (JsonNode table : fixture.path("tables")) {
      RelativePositions positions =
          new RelativePositions(
              table.path("buckets").intValue(), table.path("farthest").intValue());
      int first = table.path("first").intValue();
      JsonNode rows = table.path("rows");
      for (int i = 0; i < rows.size(); i++) {
        assertThat(positions.row(first + i))
            .as("%s, distance %d", positions, first + i)
            .isEqualTo(rows.get(i).intValue());
      }
    }
  }

  @Test
  void withoutBucketsEachDistanceHasARowUpToTheFarthest() {
    RelativePositions positions = new RelativePositions(0, 2);
    assertThat(positions.span()).isEqualTo(2);
    assertThat(positions.rows(4)).containsExactly(2, 1, 0, 0, 3, 2, 1, 0, 3, 3, 2, 1, 3, 3, 3, 2);
  }
}
