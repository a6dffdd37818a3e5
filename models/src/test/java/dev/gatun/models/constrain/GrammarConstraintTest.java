package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.generate.TokenConstraint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarConstraintTest {
  private static final Vocabulary VOCABULARY = Vocabulary.JSON;
  private static final Walks WALKS = new Walks(VOCABULARY);

  private static boolean[] allowed(TokenConstraint constraint) {
    float[] logits = new float[VOCABULARY.vocabularySize()];
    constraint.restrict(logits);
    boolean[] allowed = new boolean[logits.length];
    for (int id = 0; id < allowed.length; id++) {
      allowed[id] = logits[id] == 0;
    }
    return allowed;
  }

  /// Compares with all texts of a small grammar: what begins one is allowed, and nothing else.
  @Test
  void allowsExactlyTheBeginningsOfTheGrammarsTexts() {
    List<String> texts = new ArrayList<>();
    for (String first : List.of("é", "日本", "a", "aab", "name")) {
      for (String second : List.of("", "🚀", "12", "\": ")) {
        texts.add(first + second + second);
        texts.add(second + first);
      }
    }
    Grammar listed = Grammar.choice(texts);
    Grammar ruled =
        Grammar.parse(
            """
            root ::= first | first last | second first
            first ::= "é" | "日本" | "a" | "aab" | "name"
            second ::= "🚀" | "12" | "\\": " | ""
            last ::= "🚀🚀" | "1212" | "\\": \\": "
            """);
    List<byte[]> all = texts.stream().map(t -> t.getBytes(StandardCharsets.UTF_8)).toList();
    for (Grammar grammar : List.of(listed, ruled)) {
      for (int seed = 0; seed < 200; seed++) {
        Random random = new Random(seed);
        TokenConstraint constraint = WALKS.constraint(grammar);
        List<Integer> ids = new ArrayList<>();
        while (true) {
          boolean[] allowed = allowed(constraint);
          byte[] sofar = VOCABULARY.written(ids);
          assertThat(allowed[Vocabulary.STOP])
              .isEqualTo(all.stream().anyMatch(text -> Arrays.equals(text, sofar)));
          for (int id = 1; id < allowed.length; id++) {
            List<Integer> more = new ArrayList<>(ids);
            more.add(id);
            byte[] written = VOCABULARY.written(more);
            boolean begins =
                written.length > sofar.length && all.stream().anyMatch(t -> begins(t, written));
            assertThat(allowed[id]).as("%s, then %d", ids, id).isEqualTo(begins);
          }
          int id = WALKS.choose(constraint, random, ids.size());
          constraint.accept(id);
          if (id == Vocabulary.STOP) {
            break;
          }
          ids.add(id);
        }
        assertThat(texts).contains(Walks.utf8(VOCABULARY.written(ids)));
      }
    }
  }

  private static boolean begins(byte[] text, byte[] beginning) {
    return text.length >= beginning.length
        && Arrays.equals(text, 0, beginning.length, beginning, 0, beginning.length);
  }

  @Test
  void nestedRulesAreFollowedOverTokens() {
    Grammar sum =
        Grammar.parse(
            """
            root ::= term ([+-] term)*
            term ::= factor ("*" factor)*
            factor ::= [0-9]{1,3} | "(" root ")"
            """);
    WALKS.all(sum, 1000, text -> assertThat(new Sum(text).isWhole()).as(text).isTrue());
    Grammar mirrored = Grammar.parse("root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"é\"");
    WALKS.all(
        mirrored,
        200,
        text -> assertThat(new StringBuilder(text).reverse()).hasToString(text).contains("é"));
  }

  /// A reader of sums, by hand.
  private static final class Sum {
    private final String text;
    private int at;

    Sum(String text) {
      this.text = text;
    }

    boolean isWhole() {
      return sum() && at == text.length();
    }

    private boolean sum() {
      boolean good = product();
      while (good && at < text.length() && "+-".indexOf(text.charAt(at)) >= 0) {
        at++;
        good = product();
      }
      return good;
    }

    private boolean product() {
      boolean good = factor();
      while (good && at < text.length() && text.charAt(at) == '*') {
        at++;
        good = factor();
      }
      return good;
    }

    private boolean factor() {
      if (at < text.length() && text.charAt(at) == '(') {
        at++;
        return sum() && at < text.length() && text.charAt(at++) == ')';
      }
      int start = at;
      while (at < text.length() && Character.isDigit(text.charAt(at))) {
        at++;
      }
      return at > start && at - start <= 3;
    }
  }

  @Test
  void endsWhereTheGrammarMayEnd() {
    TokenConstraint constraint = WALKS.constraint(Grammar.regex("ab?"));
    assertThat(allowed(constraint)[Vocabulary.STOP]).isFalse();
    assertThatThrownBy(() -> constraint.accept(Vocabulary.STOP))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("constrained text: found id 0, expected one that the grammar allows next");
    constraint.accept('a' + 2);
    assertThat(allowed(constraint)[Vocabulary.STOP]).isTrue();
    assertThat(constraint.isComplete()).isFalse();
    constraint.accept('b' + 2);
    assertThat(constraint.isComplete()).isTrue();
    boolean[] last = allowed(constraint);
    for (int id = 0; id < last.length; id++) {
      assertThat(last[id]).isEqualTo(id == Vocabulary.STOP);
    }
    constraint.accept(Vocabulary.STOP);
    assertThat(constraint.isComplete()).isTrue();
    assertThatThrownBy(() -> constraint.accept('b' + 2))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aRefusedIdChangesNothing() {
    TokenConstraint constraint = WALKS.constraint(Grammar.regex("abc"));
    constraint.accept('a' + 2);
    boolean[] before = allowed(constraint);
    for (int id : new int[] {-1, 0, 1, 'a' + 2, VOCABULARY.vocabularySize(), Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> constraint.accept(id)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(allowed(constraint)).isEqualTo(before);
    constraint.accept('b' + 2);
  }

  @Test
  void severalStopIdsAndNone() {
    Grammar grammar = Grammar.regex("a");
    TokenText text = TokenText.of(VOCABULARY);
    TokenConstraint two = new GrammarConstraint(grammar, text, Set.of(0, 'z' + 2, 100_000));
    two.accept('a' + 2);
    assertThat(allowed(two)['z' + 2]).isTrue();
    two.accept('z' + 2);
    TokenConstraint none = new GrammarConstraint(grammar, text, Set.of());
    none.accept('a' + 2);
    assertThat(none.isComplete()).isTrue();
    assertThat(allowed(none)).doesNotContain(true);
    // a stop id's own text is not text
    TokenConstraint stopIsLetter = new GrammarConstraint(grammar, text, Set.of('a' + 2));
    assertThatThrownBy(() -> stopIsLetter.accept('a' + 2))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void scoresOfRowsBeyondTheVocabularyAndMissingOnes() {
    TokenConstraint constraint = WALKS.constraint(Grammar.regex("."));
    float[] padded = new float[VOCABULARY.vocabularySize() + 100];
    constraint.restrict(padded);
    for (int id = VOCABULARY.vocabularySize(); id < padded.length; id++) {
      assertThat(padded[id]).isEqualTo(Float.NEGATIVE_INFINITY);
    }
    float[] few = new float[120];
    Arrays.fill(few, 1.5f);
    constraint.restrict(few);
    assertThat(few['a' + 2]).isEqualTo(1.5f);
  }

  @Test
  void aVocabularyWithoutTheCharactersIsTold() {
    Vocabulary none = new Vocabulary(List.of(new byte[0], new byte[0], new byte[] {'a'}), false);
    TokenConstraint constraint =
        new GrammarConstraint(Grammar.regex("ab"), TokenText.of(none), Set.of(0));
    constraint.accept(2);
    assertThatThrownBy(() -> constraint.restrict(new float[3]))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("found no token that goes on");
  }

  @Test
  void oneBlankMayStandInFrontWhereDecodingDropsIt() {
    Vocabulary sentencePiece = Vocabulary.of(0, true);
    TokenText text = TokenText.of(sentencePiece);
    int blankYes = sentencePiece.vocabularySize() - 7;
    assertThat(sentencePiece.pieces().get(blankYes))
        .isEqualTo(" yes".getBytes(StandardCharsets.UTF_8));
    Grammar grammar = Grammar.choice(List.of("yes", "no"));
    TokenConstraint behindBlank = new GrammarConstraint(grammar, text, Set.of(0));
    behindBlank.accept(blankYes);
    assertThat(behindBlank.isComplete()).isTrue();
    TokenConstraint kept =
        new GrammarConstraint(grammar, TokenText.of(Vocabulary.of(0, false)), Set.of(0));
    assertThatThrownBy(() -> kept.accept(blankYes)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void copiesGoTheirOwnWays() {
    Grammar grammar = Grammar.json();
    for (int seed = 0; seed < 100; seed++) {
      TokenConstraint original = WALKS.constraint(grammar);
      Random random = new Random(seed);
      for (int step = 0; step < 5; step++) {
        original.accept(WALKS.choose(original, random, step));
        if (original.isComplete()) {
          break;
        }
      }
      boolean[] before = allowed(original);
      TokenConstraint copy = original.copy();
      TokenConstraint second = copy.copy();
      List<Integer> written = WALKS.ids(copy, new Random(seed));
      assertThat(allowed(original)).isEqualTo(before);
      assertThat(allowed(second)).isEqualTo(before);
      assertThat(copy.isComplete()).isTrue();
      assertThat(WALKS.ids(second, new Random(seed))).isEqualTo(written);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"name\": \"日本 🚀é\", \"k\": [1, -2.5e3, {\"\": null}], \"b\": true}", "{}"})
  void everyWayToCutATextIntoTokensIsTaken(String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      TokenConstraint constraint = WALKS.constraint(Grammar.json());
      for (int at = 0; at < bytes.length; ) {
        int from = at;
        List<Integer> fitting = new ArrayList<>();
        for (int id = 2; id < VOCABULARY.vocabularySize(); id++) {
          byte[] piece = VOCABULARY.pieces().get(id);
          if (begins(Arrays.copyOfRange(bytes, from, bytes.length), piece)) {
            fitting.add(id);
          }
        }
        boolean[] allowed = allowed(constraint);
        assertThat(fitting).allMatch(id -> allowed[id]);
        int id = fitting.get(random.nextInt(fitting.size()));
        constraint.accept(id);
        at += VOCABULARY.pieces().get(id).length;
      }
      assertThat(constraint.isComplete()).isTrue();
    }
  }

  @Test
  void threadsShareAGrammar() throws Exception {
    Grammar grammar = Grammar.json();
    List<String> expected = new ArrayList<>();
    WALKS.all(Grammar.json(), 40, expected::add);
    Callable<List<String>> work =
        () -> {
          List<String> texts = new ArrayList<>();
          WALKS.all(grammar, 40, texts::add);
          return texts;
        };
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (Future<List<String>> result : threads.invokeAll(List.of(work, work, work, work))) {
        assertThat(result.get()).isEqualTo(expected);
      }
    }
  }
}
