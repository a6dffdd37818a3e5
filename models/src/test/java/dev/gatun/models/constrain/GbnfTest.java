package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GbnfTest {
  private static void takes(String gbnf, List<String> texts, List<String> others) {
    Grammar grammar = Grammar.parse(gbnf);
    for (String text : texts) {
      assertThat(grammar.matches(text)).as("%s takes %s", gbnf, text).isTrue();
    }
    for (String text : others) {
      assertThat(grammar.matches(text)).as("%s takes %s", gbnf, text).isFalse();
    }
  }

  @Test
  void literalsAndTheirEscapes() {
    takes(
        "root ::= \"a\\n\\t\\r\\\\\\\"\\x41\\u00e9\\U0001F680\"",
        List.of("a\n\t\r\\\"Aé🚀"),
        List.of("a"));
    takes("root ::= \"\"", List.of(""), List.of("a"));
    takes("root ::= \"日本\" \"é\"", List.of("日本é"), List.of("日本", "日本e", "日"));
  }

  @Test
  void setsOfCharacters() {
    takes("root ::= [a-cé]", List.of("a", "c", "é"), List.of("d", "è", "", "ab"));
    takes("root ::= [^a-c\\n]", List.of("d", "é", "🚀", "\0"), List.of("a", "\n", ""));
    takes("root ::= [a-]", List.of("a", "-"), List.of("b"));
    takes("root ::= [\\]\\[\\^\\-\\\\]+", List.of("][^-\\"), List.of("a"));
    takes("root ::= .", List.of("a", "\n", "🚀"), List.of("", "ab"));
    takes("root ::= [\\u0400-\\u04FF]+", List.of("жЯ"), List.of("z", "ж1"));
    takes(
        "root ::= [\\x20-\\U0001F680]",
        List.of(" ", "\ud7ff", "\ue000", "🚀"),
        List.of("\u001f", "🚁"));
  }

  @Test
  void everyCharacterIsTakenOnlyByItsSet() {
    Grammar grammar = Grammar.parse("root ::= [\\x30-\\u0815\\uFFF0-\\U00010003]");
    for (int c = 0; c < 0x11000; c++) {
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        boolean in = (c >= 0x30 && c <= 0x815) || (c >= 0xfff0 && c <= 0x10003);
        assertThat(grammar.matches(Character.toString(c))).as("%x", c).isEqualTo(in);
      }
    }
  }

  @Test
  void repetitions() {
    takes("root ::= \"a\"*", List.of("", "aaa"), List.of("b"));
    takes("root ::= \"ab\"+", List.of("ab", "abab"), List.of("", "aba"));
    takes("root ::= \"a\"?", List.of("", "a"), List.of("aa"));
    takes("root ::= \"a\"{2}", List.of("aa"), List.of("a", "aaa"));
    takes("root ::= \"a\"{2,}", List.of("aa", "aaaaa"), List.of("a"));
    takes("root ::= \"a\"{1,3}", List.of("a", "aaa"), List.of("", "aaaa"));
    takes("root ::= \"a\"{0,2}", List.of("", "aa"), List.of("aaa"));
    takes("root ::= (\"a\" | \"b\")* \"c\"", List.of("c", "abbac"), List.of("ab"));
    takes("root ::= ((\"a\"?)*)* \"b\"", List.of("b", "aab"), List.of("", "a"));
    takes("root ::= \"a\"{0} \"b\"", List.of("b"), List.of("ab"));
  }

  @Test
  void rulesLinesAndComments() {
    takes(
        """
        # a list
        root  ::= "[" (item
             ("," item)*   # more
           )? "]"
        item ::=
          [0-9]+ | "x"
          | sub-list_1

        sub-list_1 ::= root
        """,
        List.of("[]", "[1]", "[12,x,[]]", "[[[x,1]]]"),
        List.of("[", "[,]", "[1,]", "[[]"));
    takes("root ::= a b\r\na ::= \"1\"\r\nb ::= | \"2\"\r\n", List.of("1", "12"), List.of("2"));
  }

  @Test
  void rulesThatCanBeEmptyAreStillFollowed() {
    takes(
        "root ::= a a b\na ::= \"x\"?\nb ::= a \"y\"",
        List.of("y", "xy", "xxy", "xxxy"),
        List.of("xxxxy", "x"));
    takes("root ::= a* \"z\"\na ::= b b\nb ::= \"\" | \"q\"", List.of("z", "qqqz"), List.of("q"));
  }

  @Test
  void nestingCounts() {
    takes(
        "root ::= \"(\" root \")\" root | \"\"",
        List.of("", "()", "(()())()"),
        List.of("(", "())", ")("));
    takes("root ::= \"a\" root \"b\" | \"c\"", List.of("c", "aacbb"), List.of("aacb", "acbb"));
    takes(
        "s ::= \"a\" s s | \"a\"\nroot ::= s", List.of("a", "aaa", "aaaaa"), List.of("aa", "aaaa"));
    // even palindromes: ambiguous up to the end
    takes(
        "root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"\"",
        List.of("abba", "aabbaa"),
        List.of("ab", "aba"));
    takes("root ::= \"a\" root | \"b\"", List.of("b", "aaaab"), List.of("a", "ba"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          a ::= "x" ~ grammar: found no rule root, expected one, which says what a text is
          root ::= a ~ grammar: a: found no rule of this name, expected a rule that is defined
          root ::= "x ~ grammar: character 12: found the end, expected the closing "
          root ::= [x ~ grammar: character 12: found the end, expected the closing ]
          root ::= [] ~ grammar: character 10: found a set without characters, expected at least one
          root ::= [b-a] ~ grammar: character 10: found a range that runs backwards, expected the lower character first
          root ::= ("x" ~ grammar: character 14: found the end, expected ")"
          root ::= "x") ~ grammar: character 13: found ")", expected a part of the rule, or the end of the line
          root = "x" ~ grammar: character 6: found "=", expected "::="
          root ::= "\\q" ~ grammar: character 13: found "\\q", expected an escape of GBNF
          root ::= "\\uD83D" ~ grammar: character 13: found "D", expected the number of a character
          root ::= "\\x4z" ~ grammar: character 14: found "z", expected 2 hexadecimal digits
          root ::= "x"{2,1} ~ grammar: character 17: found "}", expected a count from 2
          root ::= "x"{ ~ grammar: character 14: found the end, expected a count
          root ::= "x"{100001} ~ grammar: character 20: found "}", expected a count of at most 100000
          root ::= "x"{99999}{99999} ~ grammar: found more than 131072 states, expected shorter repetitions or lists
          root ::= <[12]> ~ grammar: character 10: found "<", expected a part of the rule, or the end of the line
          root ::= root "x" | "y" ~ grammar: rule root: found left recursion, expected a rule that takes a character before itself
          root ::= "x" root ~ grammar: rule root: found a rule that no finite text follows, expected a way to its end
          """)
  void whatIsWrongIsToldInOneLine(String gbnf, String message) {
    assertThatThrownBy(() -> Grammar.parse(gbnf))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void recursionOnTheLeftIsFoundBehindWhatCanBeEmpty() {
    assertThatThrownBy(() -> Grammar.parse("root ::= a \"x\"\na ::= b? root | \"y\"\nb ::= \"z\""))
        .hasMessageContaining("left recursion");
    assertThatThrownBy(() -> Grammar.parse("root ::= \"x\"\nroot ::= \"y\""))
        .hasMessage("grammar: line 2, column 1: found rule root again, expected each rule once");
  }
}
