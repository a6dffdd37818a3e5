package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.generate.TokenConstraint;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;

/// Writes texts as a model with random scores would.
final class Walks {
  private static final int CALM = 25;

  private final Vocabulary vocabulary;
  private final TokenText text;

  Walks(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.text = TokenText.of(vocabulary);
  }

  TokenConstraint constraint(Grammar grammar) {
    return new GrammarConstraint(grammar, text, Set.of(Vocabulary.STOP));
  }

  /// Writes texts up to their ends; each must be UTF-8 and pass the check.
  void all(Grammar grammar, int count, Consumer<String> check) {
    for (int seed = 0; seed < count; seed++) {
      check.accept(one(constraint(grammar), new Random(seed)));
    }
  }

  String one(TokenConstraint constraint, Random random) {
    return utf8(vocabulary.written(ids(constraint, random)));
  }

  /// Returns the ids up to the end, the stop id left out.
  List<Integer> ids(TokenConstraint constraint, Random random) {
    List<Integer> ids = new ArrayList<>();
    while (true) {
      int id = choose(constraint, random, ids.size());
      constraint.accept(id);
      if (id == Vocabulary.STOP) {
        assertThat(constraint.isComplete()).isTrue();
        return ids;
      }
      ids.add(id);
      assertThat(ids).hasSizeLessThan(3000);
    }
  }

  /// Returns the allowed id with the highest of random scores, which after a while favour ends.
  int choose(TokenConstraint constraint, Random random, int step) {
    float[] logits = new float[vocabulary.vocabularySize()];
    for (int id = 0; id < logits.length; id++) {
      logits[id] = (float) random.nextGaussian();
      byte[] bytes = vocabulary.pieces().get(id);
      boolean closes = bytes.length == 1 && "\"}])".indexOf(bytes[0]) >= 0;
      if (step > CALM && (closes || id == Vocabulary.STOP)) {
        logits[id] += 0.1f * (step - CALM);
      }
    }
    constraint.restrict(logits);
    int best = 0;
    for (int id = 1; id < logits.length; id++) {
      best = logits[id] > logits[best] ? id : best;
    }
    assertThat(logits[best]).isNotEqualTo(Float.NEGATIVE_INFINITY);
    return best;
  }

  static String utf8(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new AssertionError("not UTF-8", e);
    }
  }
}
