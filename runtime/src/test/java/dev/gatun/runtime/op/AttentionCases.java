package dev.gatun.runtime.op;

import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.SequenceMask;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Rows of [Attention] and [Ragged].
final class AttentionCases {
  private static final int B = 2;
  private static final int H = 4;
  private static final int G = 2;
  private static final int T = 6;
  private static final int D = 4;

  private AttentionCases() {}

  static Stream<OpCase> rows() {
    return Stream.of(uniform(), weights(), ragged(), dropKey()).flatMap(List::stream);
  }

  private static List<OpCase> uniform() {
    return List.of(
        fixture("attention_causal", true, false, 0),
        fixture("attention_causal_columns", true, false, 1),
        fixture("attention_causal_elements", true, false, T),
        fixture("attention_bidirectional_columns", false, false, 1),
        fixture("attention_window_columns", false, true, 1),
        OpCase.of("Attention.attendPages", "2 queries, 6 keys", AttentionCases::twoOfSix)
            .fixture("attention_cached", "q", "k", "v")
            .withoutGradient());
  }

  /// Four tokens of each sequence, then two more whose attention is the result.
  private static Tensor twoOfSix(Scope s, Tensor[] in) {
    int sequences = (int) in[0].size(0);
    long groups = in[1].size(1);
    long size = in[1].size(3);
    Tensor keys = s.zeros(in[1].dtype(), 2L * sequences + 1, groups, 4, size);
    Tensor values = s.zeros(in[1].dtype(), 2L * sequences + 1, groups, 4, size);
    int[][] pages = new int[sequences][];
    for (int i = 0; i < sequences; i++) {
      pages[i] = new int[] {2 * sequences - i, i};
    }
    Tensor result = null;
    for (int[] part : new int[][] {{0, 4}, {4, 2}}) {
      int count = part[1];
      int[] offsets = IntStream.rangeClosed(0, sequences).map(i -> i * count).toArray();
      int[] past = new int[sequences];
      Arrays.fill(past, part[0]);
      PageTable table =
          PageTable.of(s, Ragged.of(s, offsets), past, pages, 4, Math.toIntExact(groups));
      Tensor k = tokens(s, in[1], part[0], count);
      Tensor v = tokens(s, in[2], part[0], count);
      Tensor q =
          part[0] == 4
              ? tokens(s, in[0], 0, 2)
              : s.zeros(k.dtype(), k.size(0), in[0].size(1), size);
      result = Attention.attendPages(s, q, k, v, keys, values, table, 0, 0.5);
    }
    Tensor rows = Layout.reshape(s, result, sequences, 2, in[0].size(1), size);
    return Layout.transpose(s, rows, 1, 2);
  }

  /// Returns some tokens of `(B, H, T, D)`, sequence by sequence.
  private static Tensor tokens(Scope s, Tensor x, int from, int count) {
    Tensor part = Layout.transpose(s, Layout.narrow(s, x, 2, from, count), 1, 2);
    return Layout.reshape(s, part, -1, x.size(1), x.size(3));
  }

  /// Some weights are dropped, by columns and by elements; the last query of the first head sees no
  /// key, the first one has no weight left.
  private static List<OpCase> weights() {
    return Stream.of(1, 3)
        .flatMap(rows ->
            Stream.of(Attention.Rescaling.NONE, Attention.Rescaling.NORMALISED)
                .map(rescaling -> weights(rescaling, rows)))
        .toList();
  }

  private static OpCase weights(Attention.Rescaling rescaling, int rows) {
    double[] factors = new double[2 * 2 * rows * 3];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = i / 3 == 0 || i % 4 == 1 ? 0 : 1.25;
    }
    double[] mask = new double[2 * 2 * 3 * 3];
    Arrays.fill(mask, 6, 9, Double.NEGATIVE_INFINITY);
    return OpCase.of(
            "Attention.weights",
            rescaling + ", factors of " + rows + " queries",
            (s, in) ->
                Attention.weights(
                    s,
                    Elementwise.add(s, in[0], Layout.as(s, s.of(mask, 2, 2, 3, 3), in[0].dtype())),
                    new Attention.WeightFactors(s.of(factors, 2, 2, rows, 3), rescaling)))
        .input("scores", 2, 2, 3, 3)
        .plain(in -> {
          double[] out = new double[in[0].length];
          for (int at = 0; at < out.length; at += 3) {
            int line = rows == 1 ? at / 9 * 3 : at;
            double all = 0;
            double kept = 0;
            for (int i = 0; i < 3; i++) {
              out[at + i] = Math.exp(in[0][at + i] + mask[at + i]);
              all += out[at + i];
              out[at + i] *= factors[line + i];
              kept += out[at + i];
            }
            double divisor = rescaling == Attention.Rescaling.NONE ? all : kept;
            for (int i = 0; i < 3; i++) {
              out[at + i] = divisor == 0 ? 0 : out[at + i] / divisor;
            }
          }
          return out;
        });
  }

  private static boolean[] not(boolean[] values) {
    boolean[] result = new boolean[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = !values[i];
    }
    return result;
  }

  /// The fixture is `[B, H, T, D]`, the op takes `(B * T, H, D)`.
  private static OpCase fixture(String name, boolean causal, boolean visible, int maskRows) {
    return OpCase.of(
            "Attention.attend",
            name,
            (s, in) -> {
              Tensor mask = null;
              if (visible) {
                mask = MatmulCases.mask(s, hidden(name), in[0].dtype(), B, H, T, T);
              } else if (maskRows > 0) {
                boolean[] dropped = reviveDeadHeads(Fixture.booleans(name + ".dropped"));
                mask = MatmulCases.mask(s, dropped, in[0].dtype(), B, H, maskRows, T);
              }
              Ragged batch = Ragged.of(s, 0, T, 2 * T);
              Tensor out =
                  Attention.attend(
                      s,
                      flat(s, in[0], H),
                      flat(s, in[1], G),
                      flat(s, in[2], G),
                      batch,
                      causal,
                      mask,
                      0.5);
              return Layout.transpose(s, Layout.reshape(s, out, B, T, H, D), 1, 2);
            })
        .fixture(name, "q", "k", "v");
  }

  private static Tensor flat(Scope s, Tensor x, int heads) {
    return Layout.reshape(s, Layout.transpose(s, x, 1, 2), B * T, heads, D);
  }

  /// Column masks `[B, H, 1, T]` and what the window hides, as one mask `[B, H, T, T]`.
  private static boolean[] hidden(String name) {
    boolean[] seen = Fixture.booleans(name + ".visible");
    boolean[] dropped = Fixture.booleans(name + ".dropped");
    boolean[] result = new boolean[B * H * T * T];
    for (int i = 0; i < result.length; i++) {
      result[i] = !seen[i % (T * T)] || dropped[i / (T * T) * T + i % T];
    }
    return result;
  }

  /// A head that drew all its keys keeps all, which the caller of the op sees to.
  private static boolean[] reviveDeadHeads(boolean[] dropped) {
    boolean[] result = dropped.clone();
    for (int row = 0; row < dropped.length; row += T) {
      boolean dead = true;
      for (int i = 0; i < T; i++) {
        dead &= dropped[row + i];
      }
      for (int i = 0; i < T; i++) {
        result[row + i] &= !dead;
      }
    }
    return result;
  }

  private static List<OpCase> ragged() {
    return List.of(
        ragged("causal, grouped heads", 4, 2, true, null, 0, 3, 4, 8),
        ragged("causal, one key head", 3, 1, true, null, 0, 2, 3),
        ragged("causal, equal heads, one sequence", 2, 2, true, null, 0, 5),
        ragged(
            "causal, dropped columns",
            4,
            2,
            true,
            (b, h, k) -> k > 0 && (b + h + k) % 3 == 0,
            0,
            3,
            4,
            8),
        ragged("causal, a dead head", 2, 1, true, (b, h, k) -> h == 1 && k <= 2, 0, 4, 6),
        ragged(
            "bidirectional, dropped columns", 2, 1, false, (b, h, k) -> (h + k) % 3 == 1, 0, 4, 6),
        ragged("bidirectional, equal lengths", 2, 2, false, null, 0, 3, 6),
        ragged("bidirectional, a dead head", 2, 2, false, (b, h, k) -> b == 1 && h == 0, 0, 3, 6),
        OpCase.of(
                "Ragged.of",
                "padded and back",
                (s, in) -> {
                  Ragged batch = Ragged.of(s, 0, 3, 4, 6);
                  Tensor padded = batch.pad(s, in[0]);
                  return Layout.cat(
                      s, 0, batch.unpad(s, padded), batch.unpad(s, batch.padWithZeros(s, in[0])));
                })
            .constant("x", 6, 2, 2)
            .plain(in -> Stream.of(in[0], in[0]).flatMapToDouble(Arrays::stream).toArray())
            .withoutGradient(),
        OpCase.of(
                "PageTable.of",
                "rows of 3 new tokens, written and read",
                (s, in) -> {
                  int[][] pages = {{2, 0}, {1}};
                  Ragged batch = Ragged.of(s, 0, 2, 3);
                  PageTable table = PageTable.of(s, batch, new int[] {1, 0}, pages, 2, 1);
                  return Layout.rows(s, in[0], table.places());
                })
            .constant("x", 6, 1)
            .plain(in -> new double[] {in[0][5], in[0][0], in[0][2]})
            .withoutGradient());
  }

  /// Whether a head of a sequence drops a key.
  @FunctionalInterface
  private interface Drop {
    boolean test(int sequence, int head, int key);
  }

  private static OpCase ragged(
      String variant, int heads, int groups, boolean causal, @Nullable Drop drop, int... offsets) {
    int tokens = offsets[offsets.length - 1];
    int sequences = offsets.length - 1;
    return OpCase.of(
            "Attention.attend",
            variant,
            (s, in) -> {
              Ragged batch = Ragged.of(s, offsets);
              int longest = batch.longest();
              Tensor mask = null;
              if (drop != null) {
                boolean[] dropped = new boolean[sequences * heads * longest];
                for (int i = 0; i < dropped.length; i++) {
                  int sequence = i / longest / heads;
                  int key = i % longest;
                  boolean padding = key >= batch.length(sequence);
                  dropped[i] = padding || drop.test(sequence, i / longest % heads, key);
                }
                mask = MatmulCases.mask(s, dropped, in[0].dtype(), sequences, heads, 1, longest);
              }
              return Attention.attend(s, in[0], in[1], in[2], batch, causal, mask, 0.7);
            })
        .input("q", tokens, heads, 2)
        .input("k", tokens, groups, 2)
        .input("v", tokens, groups, 2)
        .plain(in -> {
          PlainAttention plain = new PlainAttention(heads, groups, 2, 0.7);
          double[] out = new double[in[0].length];
          for (int b = 0; b < sequences; b++) {
            int sequence = b;
            plain.forward(
                in[0],
                in[1],
                in[2],
                offsets[b],
                offsets[b + 1] - offsets[b],
                (h, query, key) ->
                    (!causal || key <= query) && (drop == null || !drop.test(sequence, h, key)),
                out);
          }
          return out;
        });
  }

  private static List<OpCase> dropKey() {
    return List.of(
        dropKey("causal columns", true, SequenceMask.Shape.COLUMN, 0, 5, 8),
        dropKey("causal elements", true, SequenceMask.Shape.ELEMENT, 0, 5, 8),
        dropKey("causal spans", true, SequenceMask.Shape.SPAN, 0, 6, 8),
        dropKey("bidirectional columns", false, SequenceMask.Shape.COLUMN, 0, 2, 7),
        dropKey("bidirectional elements", false, SequenceMask.Shape.ELEMENT, 0, 3, 6));
  }

  /// Masks of a kind; the second sequence drops nothing.
  private static OpCase dropKey(
      String variant, boolean causal, SequenceMask.Shape shape, int... offsets) {
    int tokens = offsets[offsets.length - 1];
    int heads = 4;
    return OpCase.of(
            "Attention.dropKey",
            variant,
            (s, in) -> {
              AttentionMask mask =
                  new AttentionMask(Ragged.of(s, offsets), sequences(shape), heads, causal);
              return Attention.dropKey(s, in[0], in[1], in[2], mask, 0.7);
            })
        .input("q", tokens, heads, 2)
        .input("k", tokens, 2, 2)
        .input("v", tokens, 2, 2)
        .plain(in -> {
          PlainAttention plain = new PlainAttention(heads, 2, 2, 0.7);
          double[] out = new double[in[0].length];
          for (int b = 0; b < 2; b++) {
            SequenceMask mask = sequences(shape).get(b);
            int length = offsets[b + 1] - offsets[b];
            plain.forward(
                in[0],
                in[1],
                in[2],
                offsets[b],
                length,
                (h, query, key) ->
                    (!causal || key <= query) && keeps(mask, h, query, key, length, causal),
                out);
          }
          return out;
        });
  }

  private static List<SequenceMask> sequences(SequenceMask.Shape shape) {
    MaskStream stream = new MaskStream(5, 1, 2, MaskStream.Site.KEY, 0, 0);
    float none = Float.NEGATIVE_INFINITY;
    return List.of(
        new SequenceMask(stream, 3, 0.5, shape, 0, none),
        new SequenceMask(stream, 4, 0, shape, 0, none));
  }

  private static boolean keeps(
      SequenceMask mask, int head, int query, int key, int length, boolean causal) {
    boolean each = mask.shape() == SequenceMask.Shape.ELEMENT;
    float[] line = new float[length];
    mask.line(each ? head << 16 | query : head, line, 0, length);
    if (causal) {
      return key == 0 || line[key] == 0;
    }
    boolean all = true;
    for (float value : line) {
      all &= value != 0;
    }
    return all || line[key] == 0;
  }
}
