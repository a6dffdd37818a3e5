package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// How the N tokens of a batch divide into sequences of different lengths.
///
/// Tensors of a batch are `(N, ...)` without padding; only [Attention], and attention that a model
/// composes itself, needs rows of one length. This class gives them, by a view where all lengths
/// are equal and by a copy where they are not. Thread-safe.
public final class Ragged {
  private static final Operator INDEX_COPY_IN_PLACE = Operator.of("index_copy_");

  private final int[] offsets;
  private final int longest;
  private final boolean uniform;
  private final @Nullable Tensor padded;
  private final @Nullable Tensor places;

  private Ragged(Scope owner, int[] offsets) {
    this.offsets = offsets;
    int max = 0;
    boolean equal = true;
    for (int i = 0; i < sequences(); i++) {
      if (length(i) < 1) {
        throw new ShapeException(
            "ragged: sequence " + i + " has " + length(i) + " tokens, expected 1 or more");
      }
      max = Math.max(max, length(i));
      equal &= length(i) == length(0);
    }
    this.longest = max;
    this.uniform = equal;
    if (uniform) {
      padded = null;
      places = null;
    } else {
      long[] source = new long[sequences() * longest];
      long[] target = new long[tokens()];
      for (int i = 0; i < sequences(); i++) {
        for (int t = 0; t < longest; t++) {
          // a place past the end reads the sequence's last token: finite, and masked or dropped
          // later
          source[i * longest + t] = (long) offsets[i] + Math.min(t, length(i) - 1);
        }
        for (int t = 0; t < length(i); t++) {
          target[offsets[i] + t] = (long) i * longest + t;
        }
      }
      padded = owner.of(source, source.length);
      places = owner.of(target, target.length);
    }
  }

  /// {@return the division of a batch}
  ///
  /// @param owner owner of the index tensors
  /// @param offsets start of each sequence, then the number of tokens; rising from 0
  public static Ragged of(Scope owner, int... offsets) {
    if (offsets.length < 2 || offsets[0] != 0) {
      throw new ShapeException(
          "ragged: found offsets "
              + Arrays.toString(offsets)
              + ", expected 0 and at least one end");
    }
    return new Ragged(owner, offsets.clone());
  }

  /// {@return the number of sequences}
  public int sequences() {
    return offsets.length - 1;
  }

  /// {@return the number of tokens of all sequences}
  public int tokens() {
    return offsets[sequences()];
  }

  /// {@return the number of tokens of the longest sequence}
  public int longest() {
    return longest;
  }

  /// {@return the number of tokens of one sequence}
  ///
  /// @param sequence index of the sequence, from 0
  public int length(int sequence) {
    return offsets[sequence + 1] - offsets[sequence];
  }

  /// {@return the index of a sequence's first token}
  ///
  /// @param sequence index of the sequence, from 0
  public int start(int sequence) {
    return offsets[sequence];
  }

  /// {@return the sequence that a token belongs to}
  ///
  /// @param token index of the token, from 0
  public int sequence(int token) {
    int place = Arrays.binarySearch(offsets, token);
    return place >= 0 ? place : -place - 2;
  }

  /// {@return whether all sequences have the same length}
  public boolean isUniform() {
    return uniform;
  }

  /// {@return the start of each sequence, then the number of tokens, i32 `(B + 1)`}
  ///
  /// @param scope owner of the result
  public Tensor offsets(Scope scope) {
    return scope.of(offsets, offsets.length);
  }

  /// {@return minus infinity past the end of each sequence and 0 before it, f32 `(B, T)`, T the
  /// longest length}
  ///
  /// @param scope owner of the result
  public Tensor pastEnds(Scope scope) {
    float[] mask = new float[sequences() * longest];
    for (int i = 0; i < sequences(); i++) {
      int start = i * longest;
      Arrays.fill(mask, start + length(i), start + longest, Float.NEGATIVE_INFINITY);
    }
    return scope.of(mask, sequences(), longest);
  }

  /// {@return `(B T, ...)` from `(N, ...)`: B sequences of T rows each, T the longest length, with
  /// zeros past the end of a sequence}
  ///
  /// The batch's own tensors must live until the gradient has run.
  ///
  /// @param scope owner of the result
  /// @param x `(N, ...)`
  public Tensor padRows(Scope scope, Tensor x) {
    if (places == null) {
      return x;
    }
    long[] shape = x.shape();
    shape[0] = (long) sequences() * longest;
    Tensor rows = scope.zeros(x.dtype(), shape);
    INDEX_COPY_IN_PLACE.run(scope, rows, 0, places, x);
    if (scope.records(x)) {
      scope.record(
          rows,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {unpadRows(s, g[0])});
    }
    return rows;
  }

  /// {@return `(N, ...)` from `(B T, ...)`: the inverse of [#padRows]}
  ///
  /// The batch's own tensors must live until the gradient has run.
  ///
  /// @param scope owner of the result
  /// @param x `(B T, ...)`
  public Tensor unpadRows(Scope scope, Tensor x) {
    if (places == null) {
      return x;
    }
    try (Scope block = scope.untaped()) {
      Tensor rows = scope.keep(Layout.rows(block, x, places));
      if (scope.records(x)) {
        scope.record(
            rows,
            new Tensor[] {x},
            new Tensor[0],
            (s, saved, g) -> new Tensor[] {padRows(s, g[0])});
      }
      return rows;
    }
  }

  /// Returns `(B, H, T, D)` from `(N, H, D)`, T the longest length; rows past a sequence's end
  /// repeat its last.
  Tensor pad(Scope scope, Tensor x) {
    Tensor rows = padded == null ? x : Layout.rows(scope, x, padded);
    return heads(scope, rows);
  }

  /// As [#pad], with zeros past the end of a sequence.
  Tensor padWithZeros(Scope scope, Tensor x) {
    return heads(scope, padRows(scope, x));
  }

  private Tensor heads(Scope scope, Tensor rows) {
    // q, k and v are often strided views of one projection: no copy for them
    long[] strides = rows.strides();
    return Layout.view(
        scope,
        rows,
        new long[] {sequences(), rows.size(1), longest, rows.size(2)},
        new long[] {longest * strides[0], strides[1], strides[0], strides[2]});
  }

  /// Returns `(N, H, D)` from `(B, H, T, D)`: the inverse of [#pad].
  Tensor unpad(Scope scope, Tensor x) {
    Tensor rows =
        Layout.reshape(
            scope,
            Layout.transpose(scope, x, 1, 2),
            (long) sequences() * longest,
            x.size(1),
            x.size(3));
    return unpadRows(scope, rows);
  }
}
