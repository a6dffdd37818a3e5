package dev.gatun.runtime.op;

import static dev.gatun.runtime.op.OpErrorCases.dtype;
import static dev.gatun.runtime.op.OpErrorCases.f32;
import static dev.gatun.runtime.op.OpErrorCases.f64;
import static dev.gatun.runtime.op.OpErrorCases.i64;
import static dev.gatun.runtime.op.OpErrorCases.shape;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.random.SequenceMask;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What [Attention] and [Ragged] must refuse.
final class AttentionErrorCases {
  private AttentionErrorCases() {}

  static List<OpErrorCases.Row> rows() {
    return Stream.of(attention(), weights(), pages(), dropKey(), ragged())
        .flatMap(List::stream)
        .toList();
  }

  private static void attend(
      Scope s,
      Tensor q,
      Tensor k,
      Tensor v,
      boolean causal,
      @Nullable Tensor mask,
      int... offsets) {
    Attention.attend(s, q, k, v, Ragged.of(s, offsets), causal, mask, 1);
  }

  private static List<OpErrorCases.Row> attention() {
    String op = "Attention.attend";
    return List.of(
        shape(
            op,
            s -> attend(s, f32(s, 4, 8), f32(s, 4, 2, 4), f32(s, 4, 2, 4), true, null, 0, 4),
            "attention: q: ",
            "F32 (4, 8)",
            "3 dimensions"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 8), f32(s, 4, 8), true, null, 0, 4),
            "attention: k: ",
            "F32 (4, 8)",
            "3 dimensions"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 3, 2, 4), f32(s, 3, 2, 4), true, null, 0, 4),
            "attention: ",
            "F32 (4, 2, 4)",
            "F32 (3, 2, 4)"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 2, 3), f32(s, 4, 2, 3), true, null, 0, 4),
            "attention: ",
            "F32 (4, 2, 4)",
            "F32 (4, 2, 3)"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 4, 4), f32(s, 4, 3, 4), f32(s, 4, 3, 4), true, null, 0, 4),
            "attention: ",
            "F32 (4, 4, 4)",
            "F32 (4, 3, 4)"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 2, 4), f32(s, 4, 1, 4), true, null, 0, 4),
            "attention: v: ",
            "F32 (4, 1, 4)",
            "(4, 2, 4)"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 0, 4), f32(s, 4, 0, 4), true, null, 0, 4),
            "attention: ",
            "F32 (4, 0, 4)"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 2, 4), f32(s, 4, 2, 4), true, null, 0, 5),
            "attention: q: ",
            "F32 (4, 2, 4)",
            "5 tokens"),
        shape(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 2, 4), f32(s, 4, 2, 4), false, null, 0, 1, 4),
            "attention: ",
            "mask"),
        shape(
            op,
            s ->
                attend(
                    s,
                    f32(s, 4, 2, 4),
                    f32(s, 4, 2, 4),
                    f32(s, 4, 2, 4),
                    true,
                    f32(s, 1, 2, 1, 3),
                    0,
                    4),
            "attention: mask: ",
            "F32 (1, 2, 1, 3)",
            "(1, 2, 4, 4)"),
        shape(
            op,
            s ->
                attend(
                    s,
                    f32(s, 4, 2, 4),
                    f32(s, 4, 2, 4),
                    f32(s, 4, 2, 4),
                    true,
                    f32(s, 2, 2, 1, 4),
                    0,
                    4),
            "attention: mask: ",
            "F32 (2, 2, 1, 4)",
            "(1, 2, 4, 4)"),
        shape(
            op,
            s ->
                attend(
                    s, f32(s, 4, 2, 4), f32(s, 4, 2, 4), f32(s, 4, 2, 4), true, f32(s, 4, 4), 0, 4),
            "attention: mask: ",
            "F32 (4, 4)",
            "(1, 2, 4, 4)"),
        dtype(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f64(s, 4, 2, 4), f64(s, 4, 2, 4), true, null, 0, 4),
            "attention: ",
            "F32 (4, 2, 4)",
            "F64 (4, 2, 4)"),
        dtype(
            op,
            s -> attend(s, f32(s, 4, 2, 4), f32(s, 4, 2, 4), f64(s, 4, 2, 4), true, null, 0, 4),
            "attention: ",
            "F32 (4, 2, 4)",
            "F64 (4, 2, 4)"),
        dtype(
            op,
            s -> attend(s, i64(s, 4, 2, 4), i64(s, 4, 2, 4), i64(s, 4, 2, 4), true, null, 0, 4),
            "attention: ",
            "I64 (4, 2, 4)",
            "floating"),
        dtype(
            op,
            s ->
                attend(
                    s,
                    f32(s, 4, 2, 4),
                    f32(s, 4, 2, 4),
                    f32(s, 4, 2, 4),
                    true,
                    i64(s, 1, 2, 1, 4),
                    0,
                    4),
            "attention: ",
            "I64 (1, 2, 1, 4)",
            "floating"));
  }

  private static List<OpErrorCases.Row> weights() {
    String op = "Attention.weights";
    return List.of(
        shape(
            op,
            s -> weights(s, f32(s, 2, 3, 3), f32(s, 2, 3, 3)),
            "attention: scores: ",
            "F32 (2, 3, 3)",
            "4 dimensions"),
        shape(
            op,
            s -> weights(s, f32(s, 1, 2, 3, 3), f32(s, 1, 2, 2, 3)),
            "attention: mask: ",
            "F32 (1, 2, 2, 3)",
            "(1, 2, 3, 3)"),
        dtype(
            op,
            s -> weights(s, i64(s, 1, 2, 3, 3), f32(s, 1, 2, 3, 3)),
            "attention: ",
            "I64 (1, 2, 3, 3)",
            "floating"));
  }

  private static void weights(Scope s, Tensor scores, Tensor factors) {
    Attention.weights(
        s, scores, new Attention.WeightFactors(factors, Attention.Rescaling.NORMALISED));
  }

  private static PageTable table(Scope s) {
    return PageTable.of(s, Ragged.of(s, 0, 2), new int[] {3}, new int[][] {{1, 0}}, 4, 2);
  }

  private static void paged(Scope s, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values) {
    Attention.attendPages(s, q, k, v, keys, values, table(s), 0, 1);
  }

  private static void dropKey(Scope s, int tokens) {
    SequenceMask none = ElementwiseCases.sequence(0, 0);
    AttentionMask mask = new AttentionMask(Ragged.of(s, 0, tokens), List.of(none), 2, true);
    Attention.dropKey(s, f32(s, 4, 2, 4), f32(s, 4, 2, 4), f32(s, 4, 2, 4), mask, 1);
  }

  private static List<OpErrorCases.Row> dropKey() {
    return List.of(
        shape("Attention.dropKey", s -> dropKey(s, 5), "attention: q: ", "(4, 2, 4)", "5 tokens"));
  }

  private static List<OpErrorCases.Row> pages() {
    String op = "Attention.attendPages";
    return List.of(
        shape(
            op,
            s -> paged(s, f32(s, 2, 4), f32(s, 2, 2, 4), f32(s, 2, 2, 4), pool(s), pool(s)),
            "attention: q: ",
            "F32 (2, 4)",
            "3 dimensions"),
        shape(
            op,
            s -> paged(s, f32(s, 2, 3, 4), f32(s, 2, 2, 4), f32(s, 2, 2, 4), pool(s), pool(s)),
            "attention: ",
            "F32 (2, 3, 4)",
            "F32 (2, 2, 4)"),
        shape(
            op,
            s -> paged(s, f32(s, 3, 2, 4), f32(s, 3, 2, 4), f32(s, 3, 2, 4), pool(s), pool(s)),
            "attention: q: ",
            "(3, 2, 4)",
            "2 tokens"),
        shape(
            op,
            s ->
                paged(
                    s,
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 5, 4),
                    pool(s)),
            "attention: keys: ",
            "F32 (2, 2, 5, 4)",
            "(2, 2, 4, 4)"),
        shape(
            op,
            s ->
                paged(
                    s,
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    pool(s),
                    f32(s, 3, 2, 4, 4)),
            "attention: values: ",
            "F32 (3, 2, 4, 4)",
            "(2, 2, 4, 4)"),
        shape(
            op,
            s ->
                paged(
                    s,
                    f32(s, 2, 1, 4),
                    f32(s, 2, 1, 4),
                    f32(s, 2, 1, 4),
                    f32(s, 2, 1, 4, 4),
                    f32(s, 2, 1, 4, 4)),
            "attention: keys: ",
            "F32 (2, 1, 4, 4)",
            "2 key heads"),
        shape(
            op,
            s ->
                paged(
                    s,
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f32(s, 1, 2, 4, 4),
                    f32(s, 1, 2, 4, 4)),
            "attention: keys: ",
            "F32 (1, 2, 4, 4)",
            "at least 2 pages"),
        dtype(
            op,
            s ->
                paged(
                    s,
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f32(s, 2, 2, 4),
                    f64(s, 2, 2, 4, 4),
                    f64(s, 2, 2, 4, 4)),
            "attention: ",
            "F32 (2, 2, 4)",
            "F64 (2, 2, 4, 4)"),
        dtype(
            op,
            s -> paged(s, i64(s, 2, 2, 4), i64(s, 2, 2, 4), i64(s, 2, 2, 4), pool(s), pool(s)),
            "attention: ",
            "I64 (2, 2, 4)",
            "floating"),
        shape(
            "PageTable.of",
            s -> PageTable.of(s, Ragged.of(s, 0, 2), new int[] {3, 0}, new int[1][2], 4, 2),
            "pages: ",
            "found 2 lengths",
            "expected 1"),
        shape(
            "PageTable.of",
            s -> PageTable.of(s, Ragged.of(s, 0, 2), new int[] {7}, new int[1][2], 4, 2),
            "pages: sequence 0: ",
            "7 + 2 tokens",
            "at most 8"),
        shape(
            "PageTable.of",
            s -> PageTable.of(s, Ragged.of(s, 0, 2), new int[] {0}, new int[][] {{-1}}, 4, 2),
            "pages: sequence 0: ",
            "[-1]"));
  }

  private static Tensor pool(Scope s) {
    return f32(s, 2, 2, 4, 4);
  }

  private static List<OpErrorCases.Row> ragged() {
    return List.of(
        shape("Ragged.of", s -> Ragged.of(s), "ragged: ", "[]"),
        shape("Ragged.of", s -> Ragged.of(s, 0), "ragged: ", "[0]"),
        shape("Ragged.of", s -> Ragged.of(s, 1, 2), "ragged: ", "[1, 2]"),
        shape("Ragged.of", s -> Ragged.of(s, 0, 3, 2), "ragged: sequence 1", "-1 tokens"),
        shape("Ragged.of", s -> Ragged.of(s, 0, 0), "ragged: sequence 0", "0 tokens"));
  }
}
