package dev.gatun.templates;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A template is as strange as the model directory it came with.
class SandboxTest {
  private static String render(String source, Map<String, Object> variables) {
    return new ChatTemplate("test", source, Map.of(), Clock.systemUTC()).render(variables);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ x.getClass() }}",
        "{{ x.class.forName('java.lang.Runtime') }}",
        "{{ m.getClass() }}",
        "{{ m.put('a', 1) }}",
        "{{ m.clear() }}",
        "{{ l.add(1) }}",
        "{{ l.append(1) }}",
        "{{ l.getFirst() }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ range.__globals__['os'] }}",
        "{{ loop.items.x }}",
        "{{ self.x }}",
        "{{ cycler.__init__ }}",
        "{{ x.chars().count() }}",
        "{{ x.describeConstable().get() }}",
      })
  void noClassIsReached(String source) {
    Map<String, Object> variables = Map.of("x", "text", "m", Map.of("k", 1), "l", List.of(1));
    assertThatThrownBy(() -> render(source, variables))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("undefined, expected a value");
  }

  @Test
  void otherObjectsAreNotTaken() {
    Map<String, Object> variables = Map.of("x", new StringBuilder("a"));
    assertThatThrownBy(() -> render("{{ x }}", variables))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found java.lang.StringBuilder, expected null, Boolean, Number");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% include '/etc/hostname' %}",
        "{% import 'a' as b %}",
        "{% from 'a' import b %}",
        "{% extends 'a' %}",
      })
  void noFileIsReached(String source) {
    assertThatThrownBy(() -> Parser.parse(source))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("line 1: found tag ");
  }

  private static final String BIG = "{% set r = range(90000) %}";

  @ParameterizedTest
  @ValueSource(
      strings = {
        BIG + "{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
        BIG
            + "{% for a in r %}{% for b in r %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ ('a' * 60000000) ~ ('a' * 60000000) }}",
        "{% set ns = namespace(s='aaaa') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='aaaa') %}{% for a in range(99) %}{% set ns.s = ns.s|replace('a', 'aaaa') %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% set ns = namespace(l=[1], k=[1]) %}{% for a in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.k = [ns.k, ns.k] %}{% endfor %}{{ ns.l == ns.k }}",
        "{% set ns = namespace(l=[1]) %}{% for a in range(9000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for a in range(9000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% set ns = namespace(l=[1], k=[1]) %}{% for a in range(9000) %}{% set ns.l = [ns.l] %}{% set ns.k = [ns.k] %}{% endfor %}{{ ns.l == ns.k }}",
        "{% set ns = namespace(l=[1], k=[2]) %}{% for a in range(9000) %}{% set ns.l = [ns.l] %}{% set ns.k = [ns.k] %}{% endfor %}{{ ns.l < ns.k }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{{ f(n) ~ f(n) }}{% endmacro %}{{ f(1) }}",
        "{{ range(100000000) }}",
        "{{ 10 ** 100000000 }}",
        "{{ 9 ** 999 ** 9 }}",
        "{% set ns = namespace(n=9) %}{% for a in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "{{ 'a'.ljust(2000000000) }}",
        "{{ 'a' | center(2000000000) }}",
        "{{ 'a' | indent(2000000000, true) }}",
        "{{ '%999999d' % 1 * 999 }}",
        "{{ [1] | batch(2000000000, 'x') | list }}",
        "{{ [1] | slice(2000000000, 'x') | list }}",
        BIG + "{% for a in r %}{{ r | tojson | length }}{% endfor %}",
        BIG + "{% for a in r %}{{ 5 in r }}{{ -5 in r }}{% endfor %}",
        BIG + "{% set s = 'a' * 900000 %}{% for a in r %}{{ s.count('aa') }}{% endfor %}",
        BIG + "{% set s = 'a' * 900000 %}{% for a in r %}{{ s | upper | length }}{% endfor %}",
        BIG + "{% set s = 'a' * 900000 %}{% for a in r %}{{ s | length }}{% endfor %}",
        BIG
            + "{% set s = 'a' * 900000 %}{% for a in r %}{% if s == s ~ '' %}{% endif %}{% endfor %}",
        BIG
            + "{% set d = dict() %}{% for a in r %}{% set x = {1: 1, 2: 2} %}{{ x.items() | list | length }}{% for b in r %}{% endfor %}{% endfor %}",
      })
  void nothingRunsForEver(String source) {
    assertTimeoutPreemptively(
        ofSeconds(30),
        () ->
            assertThatThrownBy(() -> render(source, Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessageMatching("test: line 1: .*found .*, expected .*"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"(", "[", "{1:", "-", "not ", "f(", "a[", "a if ", "a.b(", "1 + (", "x|d("})
  void deepSourcesAreRefusedOrRead(String piece) {
    for (int depth : new int[] {90, 5_000, 200_000}) {
      assertThatThrownBy(() -> Parser.parse("{{ " + piece.repeat(depth)))
          .isInstanceOf(TemplateException.class);
    }
  }

  @Test
  void deepTagsAreRefused() {
    assertThatThrownBy(() -> Parser.parse("{% if 1 %}".repeat(10_000)))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("nested tags");
    String chain = "{% if 0 %}" + "{% elif 0 %}".repeat(100_000) + "{% endif %}";
    assertThatThrownBy(() -> Parser.parse(chain))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("nested tags");
  }

  @Test
  void longChainsOfOperatorsAreRefusedWhenTheyRun() {
    String chain = "{{ 1" + " + 1".repeat(100_000) + " }}";
    assertThatThrownBy(() -> render(chain, Map.of()))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("levels");
    assertThat(render("{{ 1" + " + 1".repeat(500) + " }}", Map.of())).isEqualTo("501");
  }
}
