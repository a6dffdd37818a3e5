package dev.gatun.templates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/// Compares with what transformers renders, character by character: `fixtures/chat_templates.py`.
class FixtureTest {
  private static final Map<String, Object> CASES = read("cases.json");
  private static final Map<String, Object> SNIPPETS = read("snippets.json");

  @SuppressWarnings("unchecked")
  private static Map<String, Object> read(String name) {
    try (InputStream in = FixtureTest.class.getResourceAsStream("/templates/" + name)) {
      return JsonMapper.shared().readValue(Objects.requireNonNull(in), Map.class);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> T get(Map<String, Object> map, String key) {
    return (T) map.get(key);
  }

  private static Clock clock(Map<String, Object> fixture) {
    LocalDateTime now = LocalDateTime.parse(FixtureTest.<String>get(fixture, "now"));
    return Clock.fixed(now.toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
  }

  private record Case(String name, Map<String, Object> expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Stream<Case> conversations() {
    return FixtureTest.<List<Map<String, Object>>>get(CASES, "cases").stream()
        .map(each ->
            new Case(
                each.get("template")
                    + ", "
                    + each.get("conversation")
                    + (each.get("prompt").equals(true) ? ", prompt" : ""),
                each));
  }

  @ParameterizedTest
  @MethodSource("conversations")
  void writesAConversationAsTransformersDoes(Case each) {
    Map<String, Object> expected = each.expected();
    Map<String, String> templates = get(CASES, "templates");
    ChatTemplate template =
        new ChatTemplate(
            "fixture",
            Objects.requireNonNull(templates.get(FixtureTest.<String>get(expected, "template"))),
            get(CASES, "marks"),
            clock(CASES));
    String conversation = get(expected, "conversation");
    Map<String, Map<String, Object>> variables = get(CASES, "variables");
    Map<String, Object> given = new LinkedHashMap<>(variables.getOrDefault(conversation, Map.of()));
    given.put(
        "messages", FixtureTest.<Map<String, Object>>get(CASES, "conversations").get(conversation));
    given.put("add_generation_prompt", expected.get("prompt"));
    if (expected.containsKey("text")) {
      assertThat(template.render(given)).isEqualTo(expected.get("text"));
    } else {
      assertThatThrownBy(() -> template.render(given))
          .isInstanceOfSatisfying(
              TemplateException.class,
              e -> {
                assertThat(e.line()).isPositive();
                if (expected.get("fails").equals("raised")) {
                  assertThat(e.reason()).isEqualTo(expected.get("message"));
                  assertThat(e).hasMessage("fixture: line %d: %s", e.line(), e.reason());
                } else {
                  assertThat(e).hasMessageContaining("found ");
                }
              });
    }
  }

  private static Stream<Case> snippets() {
    List<Map<String, Object>> snippets = get(SNIPPETS, "snippets");
    return IntStream.range(0, snippets.size())
        .mapToObj(i -> new Case(i + ": " + snippets.get(i).get("template"), snippets.get(i)));
  }

  @ParameterizedTest
  @MethodSource("snippets")
  void eachConstructDoesWhatJinjasDoes(Case each) {
    String source = get(each.expected(), "template");
    Map<String, Object> given = get(SNIPPETS, "given");
    if (each.expected().containsKey("text")) {
      assertThat(new Interpreter(clock(SNIPPETS)).run(Parser.parse(source), given))
          .isEqualTo(each.expected().get("text"));
    } else if (each.expected().get("fails").equals("syntax")) {
      assertThatThrownBy(() -> Parser.parse(source))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining("line 1: ");
    } else {
      List<Node> nodes = Parser.parse(source);
      assertThatThrownBy(() -> new Interpreter(clock(SNIPPETS)).run(nodes, given))
          .isInstanceOf(TemplateException.class);
    }
  }

  @Test
  void thereAreEnoughOfThem() {
    assertThat(FixtureTest.<Map<String, Object>>get(CASES, "templates")).hasSizeGreaterThan(12);
    assertThat(conversations()).hasSizeGreaterThan(300);
    assertThat(snippets()).hasSizeGreaterThan(100);
  }
}
