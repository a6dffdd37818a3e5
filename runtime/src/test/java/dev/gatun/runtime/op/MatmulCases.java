package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// Rows of [Matmul], [Norm] and [Embed].
final class MatmulCases {
  private MatmulCases() {}

  static Stream<OpCase> rows() {
    return Stream.of(products(), norms(), embeddings()).flatMap(List::stream);
  }

  /// Returns B products of `(M, K)` and `(K, N)` matrices.
  static double[] product(double[] a, double[] b, int batch, int m, int k, int n) {
    double[] result = new double[batch * m * n];
    for (int i = 0; i < batch; i++) {
      for (int row = 0; row < m; row++) {
        for (int column = 0; column < n; column++) {
          double sum = 0;
          for (int inner = 0; inner < k; inner++) {
            sum += a[(i * m + row) * k + inner] * b[(i * k + inner) * n + column];
          }
          result[(i * m + row) * n + column] = sum;
        }
      }
    }
    return result;
  }

  static double[] transposed(double[] x, int rows, int columns) {
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i % columns * rows + i / columns] = x[i];
    }
    return result;
  }

  private static List<OpCase> products() {
    return List.of(
        OpCase.of("Matmul.matmul", "matrices", (s, in) -> Matmul.matmul(s, in[0], in[1]))
            .input("a", 3, 4)
            .input("b", 4, 2)
            .plain(in -> product(in[0], in[1], 1, 3, 4, 2)),
        OpCase.of("Matmul.matmul", "batches", (s, in) -> Matmul.matmul(s, in[0], in[1]))
            .input("a", 2, 3, 4)
            .input("b", 2, 4, 2)
            .plain(in -> product(in[0], in[1], 2, 3, 4, 2)),
        OpCase.of(
                "Matmul.matmul",
                "transposed",
                (s, in) ->
                    Matmul.matmul(
                        s, Layout.transpose(s, in[0], 0, 1), Layout.transpose(s, in[1], 0, 1)))
            .input("a", 4, 3)
            .input("b", 2, 4)
            .plain(in -> product(transposed(in[0], 4, 3), transposed(in[1], 2, 4), 1, 3, 4, 2)),
        OpCase.of("Matmul.matmul", "inner size 0", (s, in) -> Matmul.matmul(s, in[0], in[1]))
            .input("a", 2, 0)
            .input("b", 0, 3)
            .plain(in -> new double[6]),
        OpCase.of("Matmul.linear", "bias", (s, in) -> Matmul.linear(s, in[0], in[1], in[2]))
            .fixture("linear", "input", "weight", "bias"),
        OpCase.of("Matmul.linear", "no bias", (s, in) -> Matmul.linear(s, in[0], in[1], null))
            .input("x", 3, 4)
            .input("w", 2, 4)
            .plain(in -> product(in[0], transposed(in[1], 2, 4), 1, 3, 4, 2)),
        OpCase.of(
                "Matmul.linear",
                "transposed weight, f32 bias",
                (s, in) ->
                    Matmul.linear(
                        s,
                        in[0],
                        Layout.transpose(s, in[1], 0, 1),
                        s.of(new float[] {0.5f, -2}, 2)))
            .input("x", 3, 4)
            .input("w", 4, 2)
            .plain(in -> {
              double[] result = product(in[0], in[1], 1, 3, 4, 2);
              for (int i = 0; i < result.length; i++) {
                result[i] += i % 2 == 0 ? 0.5 : -2;
              }
              return result;
            }),
        OpCase.of(
                "FrozenWeight.of",
                "packed where the type has an order",
                (s, in) -> FrozenWeight.of(s, in[1], WeightForm.PACKED).linear(s, in[0], in[2]))
            .constant("x", 3, 128)
            .constant("w", 130, 128)
            .constant("bias", 130)
            .plain(in -> {
              double[] result = product(in[0], transposed(in[1], 130, 128), 1, 3, 128, 130);
              for (int i = 0; i < result.length; i++) {
                result[i] += in[2][i % 130];
              }
              return result;
            })
            .withoutGradient(),
        OpCase.of(
                "Matmul.addLowRankInPlace",
                "rows with one of two products, or none",
                (s, in) -> {
                  Tensor target = s.full(1, in[0].dtype(), 5, 2);
                  Tensor columns = Layout.copy(s, Layout.transpose(s, in[2], 0, 1));
                  Tensor b = Layout.transpose(s, columns, 0, 1);
                  List<LowRank> parts =
                      List.of(
                          new LowRank(0, 1, in[1], b, 0.5),
                          new LowRank(2, 4, in[1], in[2], -2),
                          new LowRank(4, 5, in[3], in[4], 3));
                  Matmul.addLowRankInPlace(s, target, in[0], parts);
                  return target;
                })
            .constant("x", 5, 4)
            .constant("a", 3, 4)
            .constant("b", 2, 3)
            .constant("c", 1, 4)
            .constant("d", 2, 1)
            .plain(in -> {
              double[] wide =
                  product(
                      product(in[0], transposed(in[1], 3, 4), 1, 5, 4, 3),
                      transposed(in[2], 2, 3),
                      1,
                      5,
                      3,
                      2);
              double[] narrow =
                  product(
                      product(in[0], transposed(in[3], 1, 4), 1, 5, 4, 1),
                      transposed(in[4], 2, 1),
                      1,
                      5,
                      1,
                      2);
              double[] scales = {0.5, 0, -2, -2, 0};
              double[] result = new double[10];
              for (int i = 0; i < 10; i++) {
                result[i] = 1 + scales[i / 2] * wide[i] + (i / 2 == 4 ? 3 * narrow[i] : 0);
              }
              return result;
            })
            .withoutGradient(),
        OpCase.of(
                "Matmul.addProductInPlace",
                "into a strided view",
                (s, in) -> {
                  Tensor target = s.full(1, in[0].dtype(), 2, 3);
                  Matmul.addProductInPlace(s, Layout.transpose(s, target, 0, 1), -2, in[0], in[1]);
                  return target;
                })
            .constant("a", 3, 4)
            .constant("b", 4, 2)
            .plain(in -> {
              double[] result = transposed(product(in[0], in[1], 1, 3, 4, 2), 3, 2);
              for (int i = 0; i < result.length; i++) {
                result[i] = 1 - 2 * result[i];
              }
              return result;
            })
            .withoutGradient());
  }

  private static List<OpCase> norms() {
    return List.of(
        OpCase.of("Norm.softmax", "near 200, and a -inf", (s, in) -> Norm.softmax(s, in[0]))
            .fixture("softmax", "x"),
        OpCase.of("Norm.softmax", "with dropped keys", MatmulCases::dropKey)
            .fixture("dropkey", "logits"),
        OpCase.of("Norm.logSoftmax", "near -500", (s, in) -> Norm.logSoftmax(s, in[0]))
            .fixture("log_softmax", "x")
            .tolerance(1e-6, 1e-5),
        OpCase.of(
                "Norm.layerNorm",
                "rows of 8",
                (s, in) -> Norm.layerNorm(s, Layout.reshape(s, in[0], 6, 8), in[1], in[2], 1e-5))
            .fixture("layer_norm", "x", "weight", "bias"),
        OpCase.of("Norm.rmsNorm", "rank 3", (s, in) -> Norm.rmsNorm(s, in[0], in[1], 1e-6))
            .fixture("rms_norm", "x", "weight"));
  }

  /// DropKey on `(B, T, S)` logits: minus infinity before the softmax.
  private static Tensor dropKey(Scope s, Tensor[] in) {
    Tensor mask = mask(s, Fixture.booleans("dropkey.dropped"), in[0].dtype(), 2, 1, 5);
    return Norm.softmax(s, Elementwise.add(s, in[0], mask));
  }

  /// Returns 0 or, where a key is dropped, minus infinity.
  static Tensor mask(Scope scope, boolean[] dropped, DType dtype, long... shape) {
    double[] values = new double[dropped.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = dropped[i] ? Double.NEGATIVE_INFINITY : 0;
    }
    return Layout.as(scope, scope.of(values, shape), dtype);
  }

  private static List<OpCase> embeddings() {
    return List.of(
        OpCase.of(
                "Embed.embedding",
                "one id twice",
                (s, in) -> Embed.embedding(s, in[0], s.of(Fixture.longs("embedding.ids"), 5)))
            .fixture("embedding", "weight"),
        rope("rope", "q", 3),
        rope("rope", "k", 2),
        rope("rope_linear", "q", 3),
        rope("rope_linear", "k", 2),
        rope("rope_llama3", "q", 3),
        rope("rope_llama3", "k", 2));
  }

  /// The fixture is `[1, H, T, D]`, the op takes `(T, H, D)`.
  private static OpCase rope(String fixture, String which, int heads) {
    return OpCase.of(
            "Embed.rope",
            fixture + " " + which,
            (s, in) -> {
              DType dtype = in[0].dtype();
              double[] cos = new double[5 * 16];
              double[] sin = new double[5 * 16];
              double[] frequencies = Fixture.doubles(fixture + ".inv_freq");
              long[] positions = Fixture.longs(fixture + ".position");
              for (int t = 0; t < 5; t++) {
                for (int i = 0; i < 16; i++) {
                  double angle = positions[t] * frequencies[i % 8];
                  cos[16 * t + i] = Math.cos(angle);
                  sin[16 * t + i] = i < 8 ? -Math.sin(angle) : Math.sin(angle);
                }
              }
              Tensor x = Layout.transpose(s, Layout.reshape(s, in[0], heads, 5, 16), 0, 1);
              Tensor rotated =
                  Embed.rope(
                      s,
                      x,
                      Layout.as(s, s.of(cos, 5, 1, 16), dtype),
                      Layout.as(s, s.of(sin, 5, 1, 16), dtype));
              return Layout.transpose(s, rotated, 0, 1);
            })
        .fixture(fixture + "." + which, "x");
  }
}
