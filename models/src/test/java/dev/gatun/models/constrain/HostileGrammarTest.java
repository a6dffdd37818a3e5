package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.generate.TokenConstraint;
import java.time.Duration;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What a stranger may send: each is refused or taken at once, and a token of it is made at once.
class HostileGrammarTest {
  private static final Walks WALKS = new Walks(Vocabulary.JSON);
  private static final Duration AT_ONCE = Duration.ofSeconds(1);

  private static Named<Supplier<Grammar>> named(String name, Supplier<Grammar> grammar) {
    return Named.of(name, grammar);
  }

  private static String lines(int count, String format) {
    return IntStream.range(0, count)
        .mapToObj(i -> format.replace("@+", "" + (i + 1)).replace("@", "" + i))
        .collect(Collectors.joining());
  }

  static Stream<Named<Supplier<Grammar>>> refused() {
    return Stream.of(
        named("long text", () -> Grammar.parse("#".repeat(2 << 20))),
        named("many rules", () -> Grammar.parse(lines(20_000, "r@ ::= \"x\"\n"))),
        named("deep groups", () -> Grammar.parse("root ::= " + "(".repeat(100_000))),
        named("many quantifiers", () -> Grammar.parse("root ::= \"a\"" + "*".repeat(100_000))),
        named("nested counts", () -> Grammar.parse("root ::= ((\"a\"{9999}){9999}){9999}")),
        named(
            "nested counts of nothing",
            () -> Grammar.parse("root ::= ((\"\"{99999}){99999}){9999}")),
        named(
            "long left recursion",
            () -> Grammar.parse("root ::= r0\n" + lines(9_000, "r@ ::= r@+\n") + "r9000 ::= r0")),
        named(
            "recursion without end",
            () ->
                Grammar.parse(
                    "root ::= r0\n" + lines(9_000, "r@ ::= \"a\" r@+\n") + "r9000 ::= r0")),
        named("deep regex", () -> Grammar.regex("(".repeat(100_000) + "a" + ")".repeat(100_000))),
        named("regex counts", () -> Grammar.regex("(((a{100}){100}){100}){100}")),
        named("deep schema", () -> Grammar.jsonSchema("{\"items\":".repeat(100_000))),
        named("deep value", () -> Grammar.jsonSchema("{\"const\":" + "[".repeat(400_000))),
        named(
            "many schemas",
            () -> Grammar.jsonSchema("{\"anyOf\":[" + lines(20_000, "{},") + "{}]}")),
        named(
            "nested items",
            () -> Grammar.jsonSchema("{\"minItems\":100000,\"items\":{\"minItems\":100000}}")),
        named(
            "long places",
            () ->
                Grammar.jsonSchema(
                    ("{\"properties\":{\"" + "n".repeat(900) + "\":").repeat(200)
                        + "true"
                        + "}}".repeat(200))),
        named(
            "long names",
            () ->
                Grammar.jsonSchema(
                    "{\"properties\":{\""
                        + "a".repeat(900_000)
                        + "\":true},\"additionalProperties\":true}")),
        named(
            "many names",
            () ->
                Grammar.jsonSchema(
                    "{\"properties\":{"
                        + lines(9_000, "\"" + "n".repeat(30) + "@\":true,")
                        + "\"x\":true},\"additionalProperties\":true}")),
        named(
            "references in a ring",
            () ->
                Grammar.jsonSchema(
                    "{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
                        + lines(9_000, "\"d@\":{\"$ref\":\"#/$defs/d@+\"},")
                        + "\"d9000\":{\"$ref\":\"#/$defs/d0\"}}}")),
        named(
            "large exponent",
            () -> Grammar.jsonSchema("{\"type\":\"integer\",\"minimum\":1e999999999}")),
        named(
            "many digits",
            () ->
                Grammar.jsonSchema(
                    "{\"type\":\"integer\",\"minimum\":" + "9".repeat(500_000) + "}")),
        named(
            "many choices",
            () -> Grammar.choice(IntStream.range(0, 200_000).mapToObj(i -> "w" + i).toList())));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void isRefusedAtOnceInOneLine(Supplier<Grammar> grammar) {
    Assertions.assertTimeout(
        AT_ONCE,
        () ->
            assertThatThrownBy(grammar::get)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("[^\\n]{1,600}"));
  }

  static Stream<Named<Supplier<Grammar>>> taken() {
    return Stream.of(
        named(
            "two ways back each",
            () -> Grammar.parse("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\"")),
        named("many readings", () -> Grammar.parse("root ::= s\ns ::= \"a\" s s | \"a\"")),
        named(
            "many readings of nothing",
            () -> Grammar.parse("root ::= s\ns ::= \"a\" e s s e | e \"a\"\ne ::= \"\" | \"b\"")),
        named("list to the right", () -> Grammar.parse("root ::= [a-z0-9 ] root | \".\"")),
        named("stars of stars", () -> Grammar.regex("((((a*)*)*)*b*)*c")),
        named("all alike", () -> Grammar.regex("(a|a|a|a|a)*(a|a)*(a|a)*b")),
        named("optional many", () -> Grammar.regex("([a-z]?){5000}")),
        named("optional many of two", () -> Grammar.regex("([a-z]?[b-y]?){2000}x")),
        named("dots", () -> Grammar.regex(".*.*.*.*.*.*.*a.{500}")),
        named(
            "long chain of rules",
            () ->
                Grammar.parse(
                    "root ::= r0 \"y\"\n"
                        + lines(9_000, "r@ ::= r@+ | \"b\"\n")
                        + "r9000 ::= \"a\" root")),
        named(
            "all rules at once",
            () ->
                Grammar.parse(
                    "root ::= ("
                        + lines(2_000, "r@ | ")
                        + "\"x\")*\n"
                        + lines(2_000, "r@ ::= \"a\" r@ | \"b\"\n"))),
        named(
            "long string",
            () ->
                Grammar.jsonSchema("{\"type\":\"string\",\"minLength\":99,\"maxLength\":100000}")),
        named(
            "long array",
            () ->
                Grammar.jsonSchema(
                    "{\"type\":\"array\",\"minItems\":1,\"maxItems\":9000,\"items\":{\"type\":\"integer\"}}")),
        named(
            "many values",
            () -> Grammar.jsonSchema("{\"enum\":[" + lines(20_000, "\"v@\",") + "0]}")),
        named(
            "many properties",
            () ->
                Grammar.jsonSchema(
                    "{\"properties\":{"
                        + lines(3_000, "\"p@\":{\"type\":\"null\"},")
                        + "\"x\":true},\"additionalProperties\":true}")),
        named(
            "references in a row",
            () ->
                Grammar.jsonSchema(
                    "{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
                        + lines(9_000, "\"d@\":{\"$ref\":\"#/$defs/d@+\"},")
                        + "\"d9000\":{\"type\":\"null\"}}}")),
        named(
            "alike choices",
            () ->
                Grammar.jsonSchema(
                    "{\"anyOf\":["
                        + lines(2_000, "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}},")
                        + "{\"type\":\"null\"}]}")));
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isTakenAtOnceAndEachTokenToo(Supplier<Grammar> supplier) {
    Grammar grammar = Assertions.assertTimeout(AT_ONCE, supplier::get);
    TokenConstraint constraint = WALKS.constraint(grammar);
    Random random = new Random(1);
    for (int step = 0; step < 150 && !constraint.isComplete(); step++) {
      int here = 0;
      boolean told =
          Assertions.assertTimeout(
              AT_ONCE,
              () -> {
                try {
                  constraint.accept(WALKS.choose(constraint, random, here));
                  return false;
                } catch (IllegalStateException e) {
                  assertThat(e).hasMessageContaining("steps for one token");
                  return true;
                }
              });
      if (told) {
        return;
      }
    }
  }

  /// Each depth is a place of its own, which never comes again.
  @Test
  void whatIsKeptIsBoundedAndPlacesOutliveIt() {
    Grammar grammar = Grammar.parse("root ::= [ab] root [cd] | [ab] root [de] | \"x\"");
    TokenConstraint constraint = WALKS.constraint(grammar);
    int depth = 200_000;
    boolean forgotten = false;
    int before = 0;
    for (int step = 0; step < depth; step++) {
      constraint.accept('a' + 2);
      int kept = grammar.machine().kept();
      assertThat(kept).isLessThanOrEqualTo(Machine.MAX_KEPT);
      forgotten |= kept < before;
      before = kept;
    }
    assertThat(forgotten).isTrue();
    constraint.accept('x' + 2);
    for (int step = 0; step < depth; step++) {
      assertThat(constraint.isComplete()).isFalse();
      constraint.accept('d' + 2);
    }
    assertThat(constraint.isComplete()).isTrue();
  }
}
