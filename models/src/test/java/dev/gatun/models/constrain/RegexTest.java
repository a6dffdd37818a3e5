package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.generate.TokenConstraint;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "abc",
        "a|b|",
        "(?:ab|a)(b|ba)*",
        "[a-c0-9_]{2,5}",
        "[^a-z\\n]{1,4}",
        "\\d{3}-\\d{4}",
        "\\w+@\\w+\\.(com|org)",
        "\\s*\\S+\\s?",
        "(a?){4}b{1,}",
        "[\\d\\-.]+e?",
        "^(yes|no)$",
        "\\x41\\u00e9?[é-ü]*",
        "\\$\\{\\}\\[\\]\\(\\)\\\\",
        ".{0,6}",
        "[-a]\\/[a-]",
        "(((a|b)c)+|d){2}",
        "\\D\\W\\S",
      })
  void agreesWithJavasRegularExpressions(String regex) {
    Grammar grammar = Grammar.regex(regex);
    Pattern pattern = Pattern.compile(regex.replace(".{", "[^\\n]{"));
    Random random = new Random(3);
    String letters = "abcdyesno019-_@.e é🚀\n${}[]()\\ü/A";
    int[] characters = letters.codePoints().toArray();
    int matched = 0;
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder();
      int length = random.nextInt(8);
      for (int k = 0; k < length; k++) {
        text.appendCodePoint(characters[random.nextInt(characters.length)]);
      }
      boolean matches = pattern.matcher(text).matches();
      matched += matches ? 1 : 0;
      assertThat(grammar.matches(text.toString())).as("%s on %s", regex, text).isEqualTo(matches);
    }
    new Walks(Vocabulary.JSON)
        .all(
            grammar,
            100,
            text -> assertThat(text).as(regex).matches(each -> pattern.matcher(each).matches()));
    assertThat(matched).isLessThan(3000);
  }

  /// What java.util.regex could still match is allowed, and nothing else: these expressions have no
  /// dead ends, so the end of a failed match is exact.
  @ParameterizedTest
  @ValueSource(strings = {"(ab|ba){2,3}", "[a-c]{1,3}[0-9]+", "yes|no|name", "(\"[^\"\\n]*\", )*x"})
  void allowsWhatCanStillMatchAndNothingElse(String regex) {
    Vocabulary vocabulary = Vocabulary.JSON;
    Walks walks = new Walks(vocabulary);
    Grammar grammar = Grammar.regex(regex);
    Pattern pattern = Pattern.compile(regex);
    for (int seed = 0; seed < 20; seed++) {
      TokenConstraint constraint = walks.constraint(grammar);
      Random random = new Random(seed);
      List<Integer> ids = new ArrayList<>();
      for (int id = -1; id != Vocabulary.STOP && ids.size() < 30; ) {
        float[] logits = new float[vocabulary.vocabularySize()];
        constraint.restrict(logits);
        for (int next = 2; next < logits.length; next++) {
          List<Integer> more = new ArrayList<>(ids);
          more.add(next);
          byte[] written = vocabulary.written(more);
          if (ascii(written)) {
            Matcher matcher = pattern.matcher(Walks.utf8(written));
            boolean canMatch = matcher.matches() || matcher.hitEnd();
            assertThat(logits[next] == 0).as("%s, then %d", ids, next).isEqualTo(canMatch);
          }
        }
        id = walks.choose(constraint, random, ids.size());
        constraint.accept(id);
        if (id != Vocabulary.STOP) {
          ids.add(id);
        }
        if (!ascii(vocabulary.written(ids))) {
          break;
        }
      }
    }
  }

  private static boolean ascii(byte[] bytes) {
    for (byte b : bytes) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          a*?          ~ regex: character 3: found "?", expected a part of a regular expression that is supported
          a++          ~ regex: character 3: found "+", expected a part of a regular expression that is supported
          *a           ~ regex: character 1: found "*", expected a part of a regular expression that is supported
          (a           ~ regex: character 3: found the end, expected ")"
          a)           ~ regex: character 2: found ")", expected a part of a regular expression that is supported
          [a           ~ regex: character 3: found the end, expected a character
          [^]          ~ regex: character 3: found "]", expected a set with characters, or it escaped
          (?=a)        ~ regex: character 3: found "=", expected ":"
          (?i:a)       ~ regex: character 3: found "i", expected ":"
          (?<n>a)      ~ regex: character 3: found "<", expected ":"
          (a)\\1       ~ regex: character 6: found "\\1", expected an escape that is supported
          \\bword      ~ regex: character 3: found "\\b", expected an escape that is supported
          \\p{L}       ~ regex: character 3: found "\\p", expected an escape that is supported
          a^b          ~ regex: character 2: found "^", expected a part of a regular expression that is supported
          (^a)         ~ regex: character 2: found "^", expected ")"
          a{3,2}       ~ regex: character 6: found "}", expected a count from 3
          [\\d-z]      ~ regex: character 1: found a class at the end of a range, expected a character
          [a&&b]       ~ regex: character 3: found "&", expected it escaped
          """)
  void whatIsNotSupportedIsRefused(String regex, String message) {
    assertThatThrownBy(() -> Grammar.regex(regex))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void choices() {
    Grammar grammar = Grammar.choice(List.of("yes", "yesterday", "no", "été"));
    assertThat(List.of("yes", "yesterday", "no", "été")).allMatch(grammar::matches);
    assertThat(List.of("", "ye", "yeste", "nono", "ét")).noneMatch(grammar::matches);
    new Walks(Vocabulary.JSON)
        .all(grammar, 100, text -> assertThat(text).isIn("yes", "yesterday", "no", "été"));
    assertThatThrownBy(() -> Grammar.choice(List.of()))
        .hasMessage("choice: found no text, expected texts to choose from");
    assertThatThrownBy(() -> Grammar.choice(List.of("a", "")))
        .hasMessage("choice: found an empty text, expected texts to choose from");
    assertThatThrownBy(() -> Grammar.choice(List.of("\ud83d")))
        .hasMessageContaining("half a surrogate pair");
  }
}
