package dev.gatun.models.constrain;

import dev.gatun.models.generate.TokenConstraint;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Allows the tokens whose text follows a grammar, and the end where the grammar may end.
///
/// Tokens are judged by their bytes, so one may hold any part of a character; tokens that write
/// nothing, special ones above all, are never allowed. Where decoding drops the blank in front of a
/// text (SentencePiece), one blank may stand in front. What was found out about a grammar's places
/// is shared between all constraints of one [Grammar].
public final class GrammarConstraint implements TokenConstraint {
  private final Machine machine;
  private final TokenText text;
  private final Set<Integer> stopIds;
  private Machine.State state;
  private boolean ended;

  /// Starts in front of a text.
  ///
  /// @param grammar what the text follows
  /// @param text what the model's tokens write
  /// @param stopIds ids that end a text; empty leaves the end to who asks [#isComplete]
  public GrammarConstraint(Grammar grammar, TokenText text, Set<Integer> stopIds) {
    this(
        grammar.machine(),
        text,
        Set.copyOf(stopIds),
        grammar.start(text.dropsLeadingBlank()),
        false);
  }

  private GrammarConstraint(
      Machine machine, TokenText text, Set<Integer> stopIds, Machine.State state, boolean ended) {
    this.machine = machine;
    this.text = text;
    this.stopIds = stopIds;
    this.state = state;
    this.ended = ended;
  }

  /// {@inheritDoc}
  ///
  /// Scores beyond the vocabulary, as of rows that fill an embedding up, are never allowed.
  ///
  /// @throws IllegalStateException if no token can go on with the text: the vocabulary lacks the
  ///   characters, or the grammar is too ambiguous to follow
  @Override
  public void restrict(float[] logits) {
    float[] stops = new float[stopIds.size()];
    int count = 0;
    for (int id : stopIds) {
      stops[count++] = id >= 0 && id < logits.length ? logits[id] : 0;
    }
    boolean any = false;
    if (isComplete()) {
      Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    } else {
      any = keep(logits, machine.mask(state, text));
    }
    count = 0;
    for (int id : stopIds) {
      if (id >= 0 && id < logits.length) {
        logits[id] = mayEnd() ? stops[count] : Float.NEGATIVE_INFINITY;
      }
      count++;
    }
    if (!any && !mayEnd()) {
      throw new IllegalStateException(
          "constrained text: found no token that goes on, expected a vocabulary with the grammar's"
              + " characters");
    }
  }

  /// Keeps the scores whose bits are set; returns whether there was one.
  private static boolean keep(float[] logits, long[] mask) {
    boolean any = false;
    for (int word = 0; word << 6 < logits.length; word++) {
      long bits = word < mask.length ? mask[word] : 0;
      int from = word << 6;
      int to = Math.min(from + 64, logits.length);
      any |= bits != 0;
      if (bits == 0) {
        Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
      } else if (bits != -1) {
        for (int id = from; id < to; id++) {
          if ((bits >>> id & 1) == 0) {
            logits[id] = Float.NEGATIVE_INFINITY;
          }
        }
      }
    }
    return any;
  }

  @Override
  public void accept(int id) {
    if (stopIds.contains(id) && mayEnd()) {
      ended = true;
      return;
    }
    boolean writes = id >= 0 && id < text.vocabularySize() && text.bytes(id).length > 0;
    Machine.@Nullable State next =
        writes && !ended && !stopIds.contains(id) ? machine.advance(state, text.bytes(id)) : null;
    if (next == null) {
      throw new IllegalArgumentException(
          "constrained text: found id " + id + ", expected one that the grammar allows next");
    }
    state = next;
  }

  @Override
  public boolean isComplete() {
    return ended || state.isLast();
  }

  private boolean mayEnd() {
    return ended || state.isAccepting();
  }

  @Override
  public GrammarConstraint copy() {
    return new GrammarConstraint(machine, text, stopIds, state, ended);
  }
}
