package dev.gatun.models.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class PythonRegexTest {
  static Stream<JsonNode> fromPython() {
    List<JsonNode> rows = new ArrayList<>();
    PeftFixture.section("regexes").forEach(rows::add);
    return rows.stream();
  }

  @ParameterizedTest
  @MethodSource("fromPython")
  void matchesAsPythonDoes(JsonNode row) {
    PythonRegex regex = PythonRegex.compile(row.get(0).stringValue());
    String text = row.get(1).stringValue();
    Matcher matcher = regex.matcher(text);
    assertThat(matcher.lookingAt() ? matcher.end() : -1)
        .isEqualTo(row.get(2).isNull() ? -1 : row.get(2).intValue());
    assertThat(regex.matches(text)).isEqualTo(row.get(3).booleanValue());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        ")",
        "[",
        "[a",
        "a\\",
        "\\y",
        "\\Q.\\E",
        "\\p{L}",
        "\\0",
        "*a",
        "(?P<>a)",
        "(?P=x)",
        "(?P<a>x)(?P<a>y)",
        "(?(1)a|b)",
        "(?x)a",
        "a(?i)b",
        "(?<name>a)",
        "(?#",
        "(?"
      })
  void refusesWhatItCannotRun(String pattern) {
    assertThatThrownBy(() -> PythonRegex.compile(pattern))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageEndingWith("expected Python's syntax");
  }

  @Test
  void endsPatternsThatWouldRunForever() {
    PythonRegex slow = PythonRegex.compile("(.*)(.*)(.*)(.*)(.*)(.*)b");
    assertThatThrownBy(() -> slow.matches("a".repeat(200)))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("found more than 1000000 steps on");
  }

  @Test
  void boundsLengthAndNesting() {
    assertThatThrownBy(() -> PythonRegex.compile("a".repeat(20_001)))
        .hasMessage("regular expression: found 20001 characters, expected at most 20000");
    assertThatThrownBy(() -> PythonRegex.compile("(".repeat(5000) + ")".repeat(5000)))
        .hasMessageContaining("found more than 50 nested groups");
  }
}
