package dev.gatun.models.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What the reference implementations said: `fixtures/metrics.py` wrote it.
final class MetricsFixture {
  private static final JsonNode ROOT =
      new JsonMapper().readTree(Path.of("src/test/resources/parity/metrics.json").toFile());

  private MetricsFixture() {}

  static List<JsonNode> cases(String section) {
    List<JsonNode> cases = new ArrayList<>();
    ROOT.get(section).forEach(cases::add);
    assertThat(cases).isNotEmpty();
    return cases;
  }

  static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
  }

  static double[] doubles(JsonNode array) {
    return IntStream.range(0, array.size()).mapToDouble(i -> array.get(i).doubleValue()).toArray();
  }

  static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(item -> strings.add(item.stringValue()));
    return strings;
  }

  static List<List<String>> lists(JsonNode array) {
    List<List<String>> lists = new ArrayList<>();
    array.forEach(item -> lists.add(strings(item)));
    return lists;
  }

  /// Compares with 1e-9, relative; near 0 with 1e-12.
  static void assertClose(double found, JsonNode expected, Object of) {
    double reference = expected.doubleValue();
    assertThat(Math.abs(found - reference))
        .describedAs("%s: %s, expected %s", of, found, reference)
        .isLessThanOrEqualTo(1e-9 * Math.abs(reference) + 1e-12);
  }
}
